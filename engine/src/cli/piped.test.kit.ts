// Input from a pipe, for tests of the verbs that read a secret.
import { Readable } from 'node:stream'
import type { SecretInput } from './read-secret.js'

export function piped(...parts: (string | Uint8Array)[]): SecretInput {
  return Readable.from(parts.map((part) => Buffer.from(part as Uint8Array)))
}
