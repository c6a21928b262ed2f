// For tests of `engine run`: an engine that only records, and signals of no process.
import { EventEmitter } from 'node:events'
import { engineStatus } from '../api/status-fixture.test.kit.js'
import type { KeptStreams } from './cli-streams.test.kit.js'
import type { EngineHandle } from './run-files.js'

export class Signals extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

export class FakeEngine implements EngineHandle {
  readonly stops: string[] = []
  endInputs: () => void = () => undefined
  failInputs: (error: Error) => void = () => undefined
  readonly ended = new Promise<void>((resolve, reject) => {
    this.endInputs = resolve
    this.failInputs = reject
  })
  finishStop: () => void = () => undefined
  holdStop = false

  stop(reason: string): Promise<void> {
    this.stops.push(reason)
    return this.holdStop ? new Promise((resolve) => (this.finishStop = resolve)) : Promise.resolve()
  }

  status(): typeof engineStatus {
    return engineStatus
  }

  urls(): readonly { label: string; url: string }[] {
    return [{ label: 'viewers', url: 'http://127.0.0.1:8000/live.ts' }]
  }
}

export interface Running {
  readonly streams: KeptStreams
  readonly signals: Signals
  readonly engine: FakeEngine
  readonly logged: string[]
  readonly code: Promise<number>
}

/** Waits for the startup text. */
export async function started({ streams }: Pick<Running, 'streams'>): Promise<void> {
  while (!streams.errText().includes('Millrace')) await new Promise((resolve) => setImmediate(resolve))
}
