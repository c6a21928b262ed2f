// Reads a stream of server-sent events until it ends, is silent for too long, or is not wanted any more.
import { openStream } from './api-client.js'
import { EventStreamParser, type ServerEvent } from './model/index.js'

export interface StreamRequest {
  readonly path: string
  readonly silentMs: number
  /** Of an earlier call: it goes on from there. By default from the first event that the engine has recorded. */
  readonly lastId?: string | undefined
  readonly signal: AbortSignal
  onEvent(event: ServerEvent): void
}

/** Rejects when it has ended, whatever the reason. */
export async function followStream({ path, silentMs, lastId, signal, onEvent }: StreamRequest): Promise<never> {
  const silent = new AbortController()
  const restart = (): number => setTimeout(() => silent.abort(new Error('silence')), silentMs)
  let timer = restart()
  try {
    const text = await openStream(path, lastId ?? '0', AbortSignal.any([signal, silent.signal]))
    const parser = new EventStreamParser()
    const reader = text.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) throw new Error('the stream has ended')
      clearTimeout(timer)
      timer = restart()
      for (const event of parser.push(value)) onEvent(event)
    }
  } finally {
    clearTimeout(timer)
  }
}
