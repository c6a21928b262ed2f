// ffmpeg sends the test card again and again, at its own pace.
import { join } from 'node:path'
import process from 'node:process'
import { Child } from './child.js'
import { REPOSITORY_ROOT } from './repository-root.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
const INPUT = ['-hide_banner', '-loglevel', 'warning', '-re', '-stream_loop', '-1', '-i', CLIP]

/** `format`: one of ffmpeg's, such as `mpegts`. */
export function sendClip(format: string, url: string): Child {
  return new Child('ffmpeg', [...INPUT, '-map', '0', '-c', 'copy', '-f', format, url], { cwd: process.cwd() })
}
