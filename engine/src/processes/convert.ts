// A conversion: bytes in, bytes out, and an end within a time, whatever the program does.
import type { Conversion, ConvertOptions, Process, Processes } from '../plugin/processes.js'
import type { Clock } from '../plugin/tokens.js'
import { nameOf } from './spawn-program.js'

/** Resolves when the program and everything that it has started have ended. */
export function convert(
  processes: Pick<Processes, 'start'>,
  clock: Pick<Clock, 'after'>,
  { command, niceness, input, mostOutputBytes, timeoutMs, signal }: ConvertOptions,
): Promise<Conversion> {
  return new Promise((resolve) => {
    const parts: Uint8Array[] = []
    let bytes = 0
    let fault: string | undefined
    let timer: Disposable | undefined = undefined
    const end = (why: string): void => {
      fault ??= why
      void process.stop({ signal: 'SIGKILL', graceMs: 0 })
    }
    const abort = (): void => end(`${nameOf(command)} is no longer needed`)
    const process: Process = processes.start(
      { command, stdin: 'pipe', stdout: 'pipe', ...(niceness === undefined ? {} : { niceness }) },
      {
        onOutput(some) {
          bytes += some.length
          if (bytes > mostOutputBytes) return end(`${nameOf(command)} writes more than ${mostOutputBytes} bytes`)
          parts.push(some.slice())
        },
        // What it writes is part of the failure.
        onLine: (line) => ({ level: 'debug', text: line }),
        onExit({ code, text, failure }) {
          timer?.[Symbol.dispose]()
          signal.removeEventListener('abort', abort)
          if (fault !== undefined || failure !== undefined || code !== 0) return resolve({ failure: fault ?? text })
          resolve({ output: joined(parts, bytes) })
        },
      },
    )
    if (process.pid === undefined) return
    timer = clock.after(timeoutMs, () => end(`${nameOf(command)} has not ended within ${timeoutMs / 1000} s`))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    process.write(input)
    process.endInput()
  })
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
