// Receives what a UDP output sends, plain or RTP, over changes of its address, and compares it with the reference viewer.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { StreamComparison } from '../compare-stream.js'
import type { ReferenceViewer } from '../reference-viewer.js'

const SIZE = 188
/** RFC 3550, 5.1, without contributing sources. */
const RTP_HEADER = 12
const BUFFER = 4 * 1024 * 1024
/** Datagrams that were sent to the address before are read by then. */
const SETTLED_MS = 300

interface Port {
  readonly address: string
  readonly socket: Socket
  readonly datagrams: Buffer[]
  firstMs: number | undefined
}

export class UdpReceiver implements AsyncDisposable {
  /** Id of its output in the configuration; changes with a rename. */
  output: string
  /** Undefined until the reference viewer is there. */
  #comparison: StreamComparison | undefined
  /** In the order in which the output has sent to them. */
  #ports: Port[] = []

  constructor(output: string) {
    this.output = output
  }

  expect(reference: ReferenceViewer): void {
    this.#comparison ??= new StreamComparison(reference.packets)
  }

  /** Packets found equal to the reference. */
  get compared(): number {
    return this.#comparison?.compared ?? 0
  }

  /** Receives there from now on, and goes on receiving at the address before. */
  async listen(address: string): Promise<void> {
    if (this.#ports.at(-1)?.address === address) return
    const [host = '', port = ''] = address.split(':')
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => socket.bind(Number(port), host, resolve))
    if (host.startsWith('239.')) socket.addMembership(host, '127.0.0.1')
    socket.setRecvBufferSize(BUFFER)
    const opened: Port = { address, socket, datagrams: [], firstMs: undefined }
    socket.on('message', (bytes) => {
      opened.firstMs ??= performance.now()
      opened.datagrams.push(bytes.length % SIZE === RTP_HEADER ? bytes.subarray(RTP_HEADER) : bytes)
    })
    this.#ports.push(opened)
  }

  allowGap(): void {
    this.#comparison?.allowGap()
  }

  /** What is wrong with what arrived since the last call; undefined if nothing is. */
  fault(): string | undefined {
    const comparison = this.#comparison
    if (comparison === undefined) return undefined
    for (;;) {
      const [port, next] = this.#ports
      if (port === undefined) return undefined
      for (const datagram of port.datagrams.splice(0)) comparison.push(datagram)
      if (next?.firstMs === undefined || performance.now() - next.firstMs < SETTLED_MS) break
      port.socket.close()
      this.#ports.shift()
    }
    return comparison.fault()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ports = this.#ports
    this.#ports = []
    await Promise.all(ports.map(({ socket }) => new Promise<void>((resolve) => socket.close(resolve))))
  }
}
