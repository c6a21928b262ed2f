// A caller that bonds its connections, as libsrt with `grouptype=` does, in raw bytes: one conclusion with the group
// extension for each link (draft-sharabayko-srt-01, section 3.2.1.3).
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const BODY_AT = 16
const INDUCTION = 1
const CONCLUSION = 0xffff_ffff

/** One link from a port of its own; the type of the answer to its conclusion, again and again as callers repeat it. */
export async function callBonded(port: number, socketId: number, streamId: string): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const ask = async (packet: Uint8Array): Promise<Uint8Array> => {
    const repeat = setInterval(() => socket.send(packet, port, '127.0.0.1'), 250)
    try {
      socket.send(packet, port, '127.0.0.1')
      const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Uint8Array]
      return answer
    } finally {
      clearInterval(repeat)
    }
  }
  try {
    const induction = handshake(socketId, { version: 4, field: 2, type: INDUCTION, cookie: 0 }, [])
    const cookie = word(await ask(induction), BODY_AT + 28)
    const extensions = [
      extension(1, [0x0001_0501, 0x3f, 0x0078_0000]),
      extension(8, [0x4000_0001, 0x0200_0001]),
      sid(streamId),
    ]
    const conclusion = handshake(socketId, { version: 5, field: 5, type: CONCLUSION, cookie }, extensions)
    return word(await ask(conclusion), BODY_AT + 20)
  } finally {
    socket.close()
  }
}

interface Fields {
  readonly version: number
  readonly field: number
  readonly type: number
  readonly cookie: number
}

function handshake(socketId: number, fields: Fields, extensions: readonly Uint8Array[]): Uint8Array {
  const { version, field, type, cookie } = fields
  const [mtu, flowWindow, sequence, loopback] = [1500, 8192, 1000, 0x0100_007f]
  const header = words([0x8000_0000, 0, 0, 0])
  const body = words([version, field, sequence, mtu, flowWindow, type, socketId, cookie, loopback, 0, 0, 0])
  return Buffer.concat([header, body, ...extensions])
}

function extension(type: number, body: readonly number[]): Uint8Array {
  return words([(type << 16) | body.length, ...body])
}

/** Text has its bytes reversed in each word. */
function sid(text: string): Uint8Array {
  const bytes = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4, '\0'))
  return extension(
    5,
    Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32LE(at * 4)),
  )
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, at) => bytes.writeUInt32BE(value >>> 0, at * 4))
  return bytes
}

function word(bytes: Uint8Array, at: number): number {
  return Buffer.from(bytes).readUInt32BE(at)
}
