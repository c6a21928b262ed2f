// The recorders of all inputs that have one. They follow the ports, which stay when a reload replaces an input.
import type { Json } from '../../plugin/contract.js'
import { commandError } from '../../observe/command-errors.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { Port } from '../edge/port.js'
import { InputRecorder } from './input-recorder.js'
import type { RecordedInput, RecorderServices } from './input-recorder.js'

/** An input, as far as its recorder needs it. */
interface RecordedNode extends RecordedInput {
  readonly settings: Pick<NodeSettings, 'recorder'>
  readonly port: Pick<Port, 'connect' | 'disconnect' | 'recorder'>
}

export interface RecordedPipelines {
  readonly pipelines: readonly { readonly inputs: readonly RecordedNode[] }[]
}

export class InputRecorders {
  readonly #running: RecordedPipelines
  readonly #services: RecorderServices
  readonly #recorders = new Map<RecordedNode['port'], InputRecorder>()

  constructor(running: RecordedPipelines, services: RecorderServices) {
    this.#running = running
    this.#services = services
  }

  /** Called once a second: follows what has come and gone, and looks for events. */
  sweep(): void {
    const seen = new Set<RecordedNode['port']>()
    for (const input of this.#running.pipelines.flatMap(({ inputs }) => inputs)) {
      const { recorder: settings } = input.settings
      if (settings === undefined) continue
      seen.add(input.port)
      this.#recorderOf(input)?.sweep(input, settings)
    }
    for (const [port, recorder] of this.#recorders) {
      if (seen.has(port)) continue
      port.disconnect(recorder)
      port.recorder = undefined
      recorder.end()
      this.#recorders.delete(port)
    }
  }

  /** Throws an error of `commandError`. */
  record(input: RecordedNode): Json {
    const { recorder: settings } = input.settings
    if (settings === undefined) {
      throw commandError('COMMAND_UNKNOWN', `${input.id} records nothing: give it recorder: {}`)
    }
    if (!settings.on.includes('manual')) {
      throw commandError('COMMAND_UNKNOWN', `${input.id} does not record on request: its recorder.on has no manual`)
    }
    return this.#recorderOf(input)?.record() ?? null
  }

  /** The inputs have been stopped. Resolves when what was to be recorded is written. Never rejects. */
  async close(): Promise<void> {
    for (const [port, recorder] of this.#recorders) {
      port.disconnect(recorder)
      recorder.end()
    }
    this.#recorders.clear()
    await this.#services.writer.settled()
  }

  #recorderOf(input: RecordedNode): InputRecorder | undefined {
    const known = this.#recorders.get(input.port)
    const { recorder: settings } = input.settings
    if (known !== undefined || settings === undefined) return known
    const recorder = new InputRecorder(input, settings, this.#services)
    this.#recorders.set(input.port, recorder)
    input.port.connect(recorder)
    input.port.recorder = recorder
    return recorder
  }
}
