// Reads what `-progress` of ffmpeg writes: blocks of `key=value` lines, each ended by a line `progress=`.

const LONGEST_LINE = 1024

/** What ffmpeg says once per `-stats_period`. */
export interface Progress {
  /** Frames that the first video output has encoded since the start. */
  readonly frames: number
  readonly fps: number
  /** Time of the newest output, milliseconds; undefined while there is none. */
  readonly mediaMs: number | undefined
  /** Frames that ffmpeg has dropped, and repeated, to keep the frame rate. */
  readonly droppedFrames: number
  readonly duplicatedFrames: number
}

export class ProgressReader {
  readonly #onProgress: (progress: Progress) => void
  readonly #decoder = new TextDecoder()
  #rest = ''
  #values = new Map<string, string>()

  constructor(onProgress: (progress: Progress) => void) {
    this.#onProgress = onProgress
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE)
    for (const line of lines) this.#take(line)
  }

  #take(line: string): void {
    const at = line.indexOf('=')
    if (at < 0) return
    const key = line.slice(0, at).trim()
    if (KEYS.has(key)) this.#values.set(key, line.slice(at + 1).trim())
    if (key === 'progress') this.#emit()
  }

  #emit(): void {
    const values = this.#values
    this.#values = new Map()
    const mediaUs = Number.parseInt(values.get('out_time_us') ?? '', 10)
    this.#onProgress({
      frames: numberOf(values.get('frame')),
      fps: numberOf(values.get('fps')),
      mediaMs: Number.isFinite(mediaUs) ? mediaUs / 1000 : undefined,
      droppedFrames: numberOf(values.get('drop_frames')),
      duplicatedFrames: numberOf(values.get('dup_frames')),
    })
  }
}

const KEYS: ReadonlySet<string> = new Set(['frame', 'fps', 'out_time_us', 'drop_frames', 'dup_frames'])

function numberOf(text: string | undefined): number {
  const value = Number.parseFloat(text ?? '')
  return Number.isFinite(value) ? value : 0
}
