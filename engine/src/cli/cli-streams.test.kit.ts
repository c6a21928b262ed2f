// Streams that keep what is written to them, for the tests of this folder.
import type { CliStreams } from './cli-streams.js'

export interface KeptStreams extends CliStreams {
  outText(): string
  errText(): string
}

export function keepStreams(env: CliStreams['env'] = {}): KeptStreams {
  const out: string[] = []
  const err: string[] = []
  return {
    out: { write: (text) => out.push(typeof text === 'string' ? text : Buffer.from(text).toString('latin1')) },
    err: { write: (text) => err.push(text) },
    env,
    outText: () => out.join(''),
    errText: () => err.join(''),
  }
}
