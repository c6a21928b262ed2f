import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EngineClient, EngineRefusal } from './engine-client.js'

setFlagsFromString('--expose-gc')
/** What only weak references hold is gone. */
const collectGarbage = runInNewContext('gc') as () => void

async function serve(listener: RequestListener): Promise<AsyncDisposable & { readonly client: EngineClient }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const target = { url, token: undefined, writingToken: () => Promise.resolve(undefined) }
  return {
    client: new EngineClient(target, { eventsMs: 4000, logMs: 1500 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the client of the control API', () => {
  test('gives up a log that is silent, and goes on from its last line', async () => {
    const asked: unknown[] = []
    await using engine = await serve((request, response) => {
      asked.push(request.headers['last-event-id'])
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('id: r-7\nevent: log\ndata: {"at":"","level":"info","message":"one"}\n\n')
    })
    const lines: string[] = []
    const enough = new AbortController()
    const callbacks = {
      onOpen: () => undefined,
      onLine: ({ message }: { message: string }) => {
        if (lines.push(message) === 2) enough.abort()
      },
    }
    const collecting = setInterval(collectGarbage, 100)
    for (let turn = 0; turn < 2; turn++) {
      await assert.rejects(engine.client.followLog(callbacks, enough.signal), { name: 'AbortError' })
    }
    clearInterval(collecting)
    assert.deepEqual(
      [asked, lines],
      [
        [undefined, 'r-7'],
        ['one', 'one'],
      ],
    )
  })

  test('says that events are missing where it has had some, and not at its start', async () => {
    await using engine = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const gap = 'event: gap\ndata: {"missed":3}\n\n'
      response.end(`${gap}id: r-7\nevent: event\ndata: {"at":"","kind":"a"}\n\n`)
    })
    const missed: unknown[] = []
    const ignore = (): void => undefined
    const callbacks = { onSample: ignore, onEvent: ignore, onGap: (count?: number) => void missed.push(count) }
    const { signal } = new AbortController()
    for (const expected of [[], [3], [3, 3]]) {
      await assert.rejects(engine.client.follow(callbacks, signal), /has ended the stream/)
      assert.deepEqual(missed, expected)
    }
  })

  test('tells a refusal from silence, whoever answers', async () => {
    const answers = [
      [401, '{"error":{"message":"the token is missing"}}', 'the token is missing'],
      [502, '<html>', 'the engine answered with status 502'],
    ] as const
    for (const [status, body, message] of answers) {
      await using engine = await serve((_, response) => void response.writeHead(status).end(body))
      const { signal } = new AbortController()
      const isRefusal = (error: unknown): boolean => error instanceof EngineRefusal && error.message === message
      await assert.rejects(engine.client.status(false), isRefusal)
      await assert.rejects(
        engine.client.follow({ onSample: () => undefined, onEvent: () => undefined, onGap: () => undefined }, signal),
        isRefusal,
      )
    }
  })
})
