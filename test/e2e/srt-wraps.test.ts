// The core of @millrace/srt and libsrt over the wrap of sequence numbers and of timestamps: those are minutes to hours away from
// the start of a connection, so it starts with a clock that is put forward.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { Endpoint } from '@millrace/srt'
import type { Connection } from '@millrace/srt'
import { freeUdpPort } from './kit/free-port.js'
import { CHUNK_BYTES, StreamCheck, numberedStream } from './kit/numbered-stream.js'
import { chunksOf, pump, srtLiveTransmit } from './kit/srt-live-transmit.js'
import { until } from './kit/until.js'

const HOST = '127.0.0.1'
const LATENCY_MS = 600
const TIMESTAMPS_US = 2 ** 32
const LAST_SEQUENCE = 0x7fff_ffff
/** From the answer to the first packet to the wrap of timestamps; the handshake goes on within the first quarter of a second. */
const BEFORE_US = 3_000_000
const CHUNKS = 400

/** A caller whose clock is put forward when the other side has answered for the first time. */
class LateCaller implements AsyncDisposable {
  /** Of data packets, in the order in which they were sent. */
  readonly sent: { readonly sequence: number; readonly timestamp: number }[] = []
  readonly endpoint: Endpoint
  connection: Connection | undefined
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  readonly #startUs = performance.now() * 1000
  #forwardUs = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.endpoint = new Endpoint({ transmit: (datagram, peer) => this.#transmit(datagram, peer.port) })
    socket.on('message', (datagram, from) => {
      if (this.#forwardUs > 0) return this.endpoint.receive(datagram, from, this.nowUs)
      this.#forwardUs = TIMESTAMPS_US - BEFORE_US - this.nowUs
    })
    this.#timer = setInterval(() => this.#advance(), 5)
  }

  static async call(port: number): Promise<LateCaller> {
    const socket = createSocket('udp4').bind(0, HOST)
    await once(socket, 'listening')
    const caller = new LateCaller(socket)
    caller.endpoint.call(
      {
        peer: { address: HOST, port },
        firstSequence: LAST_SEQUENCE - CHUNKS / 2,
        timeoutUs: 2 * TIMESTAMPS_US,
        connected: (connection) => {
          caller.connection = connection
          return { deliver: () => undefined, ended: () => undefined }
        },
        failed: (code) => assert.fail(`rejected with ${code}`),
      },
      0,
    )
    return caller
  }

  /** Since the call. */
  get nowUs(): number {
    return performance.now() * 1000 - this.#startUs + this.#forwardUs
  }

  send(bytes: Uint8Array): void {
    for (const chunk of chunksOf(bytes)) assert.ok(this.connection?.send(chunk, this.nowUs))
    this.#advance()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.endpoint.end()
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #advance(): void {
    this.connection?.advance(this.nowUs)
    this.endpoint.advance(this.nowUs)
  }

  #transmit(datagram: Uint8Array, port: number): void {
    const header = Buffer.from(datagram.subarray(0, 16))
    const [sequence, timestamp] = [header.readUInt32BE(0), header.readUInt32BE(8)]
    if (sequence <= LAST_SEQUENCE) this.sent.push({ sequence, timestamp })
    // Its memory is used again.
    this.#socket.send(datagram.slice(), port, HOST)
  }
}

test('srt-live-transmit receives what is sent over the wraps of sequence numbers and of timestamps (libsrt#1936)', async () => {
  const port = await freeUdpPort()
  const stream = numberedStream(CHUNKS)
  const check = new StreamCheck(new Uint8Array([...stream, ...stream.subarray(0, 12 * CHUNK_BYTES)]))
  await using receiver = srtLiveTransmit(`srt://:${port}?mode=listener&latency=${LATENCY_MS}`, (bytes) =>
    check.push(bytes),
  )
  await using caller = await LateCaller.call(port)
  await until(() => caller.connection, 'a connection')
  // 400 chunks at 1 Mbit/s take 4.2 s.
  await pump(stream, 1, (bytes) => caller.send(bytes))
  await until(
    () => check.bytes >= stream.length,
    () => `${check.bytes} of ${stream.length} bytes\n${receiver.stderr}`,
  )
  const { sent } = caller
  assert.ok(sent[0]!.sequence > sent.at(-1)!.sequence, 'sequence numbers have wrapped')
  assert.ok(sent[0]!.timestamp > sent.at(-1)!.timestamp, 'so have timestamps')
  assert.equal(caller.connection?.stats(caller.nowUs).send.dropped, 0)
})
