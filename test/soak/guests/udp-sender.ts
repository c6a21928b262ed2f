// Sends one stream to any number of UDP addresses at the same time.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { PacedStream } from './paced-stream.js'

const DATAGRAM = 7 * 188

export class UdpSender implements AsyncDisposable {
  /** `host:port` each. */
  targets: readonly string[] = []
  readonly #socket: Socket
  readonly #stream: PacedStream

  private constructor(socket: Socket, clip: Uint8Array, start90k: number) {
    this.#socket = socket
    this.#stream = new PacedStream(clip, start90k, (packets) => this.#send(packets))
  }

  static async open(clip: Uint8Array, start90k: number): Promise<UdpSender> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    socket.setMulticastInterface('127.0.0.1')
    // Nothing may listen there yet.
    socket.on('error', () => undefined)
    return new UdpSender(socket, clip, start90k)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream[Symbol.dispose]()
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }

  #send(packets: Buffer): void {
    for (let at = 0; at < packets.length; at += DATAGRAM) {
      const datagram = packets.subarray(at, at + DATAGRAM)
      for (const target of this.targets) {
        const [host = '', port = ''] = target.split(':')
        this.#socket.send(datagram, Number(port), host, () => undefined)
      }
    }
  }
}
