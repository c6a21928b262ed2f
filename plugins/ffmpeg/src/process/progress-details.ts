// What the status shows of the progress of FFmpeg.
import type { Json } from '@millrace/engine/plugin'
import type { Progress } from './progress-reader.js'

/** `null` while it has said nothing. */
export function progressDetails(progress: Progress | undefined): Readonly<Record<string, Json>> {
  const { fps = null, droppedFrames = null, duplicatedFrames = null } = progress ?? {}
  return { fps, droppedFrames, duplicatedFrames }
}
