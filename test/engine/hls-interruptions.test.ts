// What an output `hls` answers while its source comes and goes, and over a reload: players give up at an error.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { planReload } from '@millrace/engine'
import { until } from '../e2e/kit/until.js'
import {
  ask,
  clip,
  CLIP_S,
  grantOf,
  newestOf,
  output,
  type Parts,
  running,
  TOKEN,
  urisOf,
  yaml,
} from './hls-guarded.js'
import type { TestEngine } from './test-engine.js'

const STEP_MS = 50
const PATIENT = ', offline: { waitFor: 60s }'

test('nothing that is listed is ever refused: at the start, over the loss of the source, its return, and a reload', async () => {
  const parts = (more: string): Parts => ({
    input: '{ type: unix, path: main.sock }',
    outputs: { open: output('open', more + PATIENT), tv: output('tv', `, auth: players${more}${PATIENT}`) },
  })
  await using live = await running(parts(''))
  const path = await grantOf(live, `/tv/index.m3u8?${TOKEN}`)
  const polls = [new Poll(live, '/open/index.m3u8'), new Poll(live, path)]
  const socket = join(live.folder.path, 'main.sock')
  const segments = (count: number): Promise<boolean> =>
    until(() => polls.every(({ segments: seen }) => seen.size >= count), `${count} segments`)

  const first = await PacedWriter.open(socket)
  await segments(3)
  first.close()
  await until(() => polls.every(({ sawGap }) => sawGap), 'gaps are listed')
  const second = await PacedWriter.open(socket)
  await segments(5)
  const next = await live.load(yaml(parts(', targetDuration: 1s')))
  await live.engine.apply(planReload(live.engine.graph, next), next)
  await segments(7)
  second.close()
  for (const poll of polls) assert.deepEqual(await poll.end(), [])
})

/** Asks at 20 Hz for the multivariant playlist, a media playlist, and the newest segment. */
class Poll {
  readonly segments = new Set<string>()
  sawGap = false
  readonly #live: TestEngine
  readonly #failures: string[] = []
  readonly #done: Promise<void>
  #isOver = false

  constructor(live: TestEngine, path: string) {
    this.#live = live
    this.#done = this.#run(path)
  }

  /** What was refused. */
  async end(): Promise<readonly string[]> {
    this.#isOver = true
    await this.#done
    return this.#failures
  }

  async #run(path: string): Promise<void> {
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    while (!this.#isOver) {
      const first = await this.#get(path)
      const [list = ''] = urisOf(first)
      const text = await this.#get(folder + list)
      if (text.includes('#EXT-X-GAP')) this.sawGap = true
      const segment = newestOf(text)
      if (segment !== undefined) {
        await this.#get(folder + segment)
        this.segments.add(segment)
      }
      await pause(STEP_MS)
    }
  }

  async #get(path: string): Promise<string> {
    const { status, text } = await ask(this.#live, path)
    if (status !== 200) this.#failures.push(`${status} ${path}`)
    return text
  }
}

/** Writes the clip at the speed at which it plays. */
class PacedWriter {
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout

  private constructor(socket: Socket) {
    this.#socket = socket
    const beganMs = performance.now()
    let sent = 0
    const write = (): void => {
      const due = Math.floor((((performance.now() - beganMs) / 1000 / CLIP_S) * clip.bytes.length) / 188) * 188
      if (due > sent) socket.write(clip.bytes.subarray(sent, due))
      sent = Math.max(sent, Math.min(due, clip.bytes.length))
    }
    this.#timer = setInterval(write, 20)
  }

  static async open(path: string): Promise<PacedWriter> {
    return until(async () => {
      const socket = connect(path)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return new PacedWriter(socket)
    }, 'the engine takes the source')
  }

  close(): void {
    clearInterval(this.#timer)
    this.#socket.destroy()
  }
}
