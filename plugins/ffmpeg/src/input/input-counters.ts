// The numbers behind the metrics and details of the input.
import type { Json, MetricDeclaration, NodeContext, ProcessExit } from '@millrace/engine/plugin'
import { progressDetails } from '../process/progress-details.js'
import { shownCommand } from '../process/shown-command.js'
import type { InputRun } from './input-run.js'

export const INPUT_METRICS: readonly MetricDeclaration[] = [
  { name: 'ffmpeg_starts_total', kind: 'counter', help: 'How often FFmpeg was started.' },
  { name: 'ffmpeg_fps', kind: 'gauge', help: 'Pictures a second, as FFmpeg says.' },
  {
    name: 'ffmpeg_speed',
    kind: 'gauge',
    help: 'Media time written per time, over 30 s; below 1 the source or the machine is too slow.',
  },
  { name: 'ffmpeg_frames_total', kind: 'counter', help: 'Pictures written.' },
  { name: 'ffmpeg_dropped_frames_total', kind: 'counter', help: 'Pictures that FFmpeg has dropped.' },
  { name: 'ffmpeg_memory_bytes', kind: 'gauge', help: 'Memory that FFmpeg occupies.' },
]

export interface InputCounterSources {
  run(): InputRun | undefined
  /** See `SpeedWatch`. */
  speed(): number
}

export class InputCounters {
  #starts = 0
  /** Those that have not ended. */
  readonly #runs = new Set<InputRun>()
  /** Of runs that have ended. */
  #frames = 0
  #droppedFrames = 0
  #command: string | null = null
  #lastExit: Json = null

  register(context: NodeContext, { run: current, speed }: InputCounterSources): void {
    context.readMetric('ffmpeg_starts_total', () => this.#starts)
    context.readMetric('ffmpeg_fps', () => current()?.progress?.fps ?? 0)
    context.readMetric('ffmpeg_speed', speed)
    context.readMetric('ffmpeg_frames_total', () => this.#sum(this.#frames, 'frames'))
    context.readMetric('ffmpeg_dropped_frames_total', () => this.#sum(this.#droppedFrames, 'droppedFrames'))
    context.readMetric('ffmpeg_memory_bytes', () => current()?.residentBytes ?? 0)
    context.details(() => ({
      command: this.#command,
      pid: current()?.pid ?? null,
      speed: Math.round(speed() * 100) / 100,
      ...progressDetails(current()?.progress),
      starts: this.#starts,
      lastExit: this.#lastExit,
    }))
  }

  noteStart(run: InputRun): void {
    this.#command = shownCommand(run.command)
    this.#runs.add(run)
    if (run.pid !== undefined) this.#starts++
  }

  noteEnd(run: InputRun, { code, signal, text, lastLines }: ProcessExit, atMs: number): void {
    this.#runs.delete(run)
    this.#frames += run.progress?.frames ?? 0
    this.#droppedFrames += run.progress?.droppedFrames ?? 0
    this.#lastExit = { at: new Date(atMs).toISOString(), code, signal, text, stderr: [...lastLines] }
  }

  #sum(ended: number, which: 'frames' | 'droppedFrames'): number {
    return [...this.#runs].reduce((sum, { progress }) => sum + (progress?.[which] ?? 0), ended)
  }
}
