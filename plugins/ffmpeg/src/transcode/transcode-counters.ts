// The numbers behind the metrics and details of the node.
import type { Json, MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import { progressDetails } from '../process/progress-details.js'
import type { Progress } from '../process/progress-reader.js'
import { shownCommand } from '../process/shown-command.js'
import type { EncoderRun } from './encoder-run.js'
import { FEED_AUDIO_PID } from './feed.js'

export const TRANSCODE_METRICS: readonly MetricDeclaration[] = [
  { name: 'transcode_fps', kind: 'gauge', help: 'Pictures a second that the encoder encodes, as ffmpeg says.' },
  {
    name: 'transcode_speed',
    kind: 'gauge',
    help: 'Media time encoded per time, over 30 s; below 1 the machine is too slow.',
  },
  { name: 'transcode_frames_total', kind: 'counter', help: 'Pictures encoded, of the first rendition.' },
  { name: 'transcode_dropped_frames_total', kind: 'counter', help: 'Pictures that ffmpeg has dropped.' },
  {
    name: 'transcode_dropped_bytes_total',
    kind: 'counter',
    help: 'Bytes of the source that were dropped, in whole GOPs, because the encoder was too slow.',
  },
  {
    name: 'transcode_drops_total',
    kind: 'counter',
    help: 'How often GOPs were dropped because the encoder was too slow.',
  },
  {
    name: 'transcode_restarts_total',
    kind: 'counter',
    help: 'How often the encoder was started again, by reason: `exit`, `silent`, `memory`, `undecodable`, `slow`, `tracks`, `clock`, `picture`, `hardware`.',
    labels: ['reason'],
  },
  { name: 'transcode_memory_bytes', kind: 'gauge', help: 'Memory that ffmpeg occupies.' },
]

export type RestartReason =
  'exit' | 'silent' | 'memory' | 'undecodable' | 'slow' | 'tracks' | 'clock' | 'picture' | 'hardware'

/** Of a run that could go on. */
export const RESTARTS = {
  slow: 'ffmpeg is slow although the machine has time',
  tracks: 'the tracks have changed',
  clock: 'the clock of the source has gone back',
  picture: 'the picture has changed its size or format',
  hardware: 'hardware works that did not',
} as const satisfies Partial<Record<RestartReason, string>>

export interface CounterSources {
  run(): EncoderRun | undefined
  /** See `SpeedWatch`. */
  speed(): number
  /** See `EncoderChoice`. */
  encoders(): Json
  /** Tracks that cannot be decoded. */
  leftOut(): Json
}

export class TranscodeCounters {
  readonly #restarts = new Map<RestartReason, number>([['exit', 0]])
  /** Of runs that have ended. */
  #frames = 0
  #droppedFrames = 0
  #drops = 0
  #droppedBytes = 0
  #lastExit: Json = null

  register(context: NodeContext, { run: current, speed, encoders, leftOut }: CounterSources): void {
    const progress = (): Progress | undefined => current()?.progress
    context.readMetric('transcode_fps', () => progress()?.fps ?? 0)
    context.readMetric('transcode_speed', speed)
    context.readMetric('transcode_frames_total', () => this.#frames + (progress()?.frames ?? 0))
    context.readMetric('transcode_dropped_frames_total', () => this.#droppedFrames + (progress()?.droppedFrames ?? 0))
    context.readMetric('transcode_dropped_bytes_total', () => this.#droppedBytes + (current()?.droppedBytes ?? 0))
    context.readMetric('transcode_drops_total', () => this.#drops + (current()?.drops ?? 0))
    context.readMetric('transcode_memory_bytes', () => current()?.residentBytes ?? 0)
    context.readMetric('transcode_restarts_total', () =>
      [...this.#restarts].map(([reason, count]) => [{ reason }, count] as const),
    )
    context.details(() => ({ ...this.#describe(current(), speed()), encoders: encoders(), leftOut: leftOut() }))
  }

  get restarts(): number {
    return [...this.#restarts.values()].reduce((sum, count) => sum + count, 0)
  }

  noteRestart(reason: RestartReason): void {
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1)
  }

  noteEnd({ progress, drops, droppedBytes }: EncoderRun, text: string): void {
    this.#frames += progress?.frames ?? 0
    this.#droppedFrames += progress?.droppedFrames ?? 0
    this.#drops += drops
    this.#droppedBytes += droppedBytes
    this.#lastExit = text.slice(0, 500)
  }

  #describe(run: EncoderRun | undefined, speed: number): Readonly<Record<string, Json>> {
    const { video, audio = [] } = run?.plan ?? {}
    return {
      pid: run?.pid ?? null,
      speed: Math.round(speed * 100) / 100,
      ...progressDetails(run?.progress),
      video: video?.codec ?? null,
      audio: audio.map(({ slot, codec, language }) => ({ pid: FEED_AUDIO_PID + slot, codec, language })),
      restarts: this.restarts,
      lastExit: this.#lastExit,
      command: run === undefined ? null : shownCommand(run.command),
    }
  }
}
