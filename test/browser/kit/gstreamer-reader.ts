// Reads a playlist to its end with the real GStreamer: hlsdemux2, tsdemux, decoders.
import { Child } from '../../e2e/kit/child.js'

export interface GstreamerReport {
  readonly code: number | null
  /** Decoded. */
  readonly pictures: number
  readonly errors: readonly string[]
}

/** A line for each picture that the sink gets. */
const PICTURE = /video_sink.*last-message.* pts: \d+:\d\d:/g
const ERROR = /^ERROR: .*$/gm

export class GstreamerReader implements AsyncDisposable {
  readonly #child: Child

  constructor(url: string, folder: string) {
    const sinks = ['video-sink=fakesink name=video_sink silent=false', 'audio-sink=fakesink']
    this.#child = new Child('gst-launch-1.0', ['-v', 'playbin3', `uri=${url}`, ...sinks], { cwd: folder })
  }

  /** Resolves at the end of the playlist. */
  async ended(): Promise<GstreamerReport> {
    const { code } = await this.#child.exited
    const { stdout, stderr } = this.#child
    return {
      code,
      pictures: stdout.match(PICTURE)?.length ?? 0,
      errors: [...(`${stdout}${stderr}`.match(ERROR) ?? [])],
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
  }
}
