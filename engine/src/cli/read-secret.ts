// Reads a password or a key: from a terminal without echo, from a pipe up to its end. Never from the arguments, which
// every user of the machine can see.
import type { TextStream } from './cli-streams.js'

/** The part of process.stdin that is used here. */
export interface SecretInput extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

const MAX_BYTES = 4096
const ENTER = ['\r', '\n', '\u0004']
const INTERRUPT = '\u0003'
const ERASE = ['\u007f', '\b']

/** One line without its line ending; undefined if it is empty, too long, not UTF-8, or interrupted. */
export async function readSecret(input: SecretInput, err: TextStream, prompt: string): Promise<string | undefined> {
  if (input.isTTY !== true) return readPipe(input)
  err.write(prompt)
  input.setRawMode?.(true)
  try {
    return await readTerminal(input)
  } finally {
    input.setRawMode?.(false)
    err.write('\n')
  }
}

async function readPipe(input: SecretInput): Promise<string | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of input) {
    parts.push(Buffer.from(part as Uint8Array))
    length += part.length
    if (length > MAX_BYTES) return undefined
  }
  return nonEmpty(decode(Buffer.concat(parts))?.replace(/\r?\n$/, ''))
}

async function readTerminal(input: SecretInput): Promise<string | undefined> {
  const typed: string[] = []
  const decoder = new TextDecoder()
  for await (const part of input) {
    for (const character of decoder.decode(Buffer.from(part as Uint8Array), { stream: true })) {
      if (ENTER.includes(character)) return nonEmpty(typed.join(''))
      if (character === INTERRUPT || typed.length > MAX_BYTES) return undefined
      if (ERASE.includes(character)) typed.pop()
      else typed.push(character)
    }
  }
  return undefined
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
