// A listener, and hand-made handshake packets for it.
import assert from 'node:assert/strict'
import type { Connection } from '../connection.js'
import type { ConnectionOptions } from '../connection-options.js'
import { deriveKekSync, renderKeyMaterial } from '../crypto/key-material.js'
import { makeSalt, makeSessionKeys } from '../crypto/session-keys.js'
import { Endpoint } from '../endpoint.js'
import type { ConnectionRequest } from '../endpoint.js'
import { CONTROL, readControlType } from '../packet/header.js'
import type { PeerAddress } from './cookie.js'
import {
  EXTENSION,
  EXTENSION_FLAG,
  HANDSHAKE_TYPE,
  LIVE_FLAGS,
  parseHandshake,
  renderHandshake,
  renderHandshakeExtension,
} from './handshake-packet.js'
import type { Extension, Handshake } from './handshake-packet.js'

export const PEER: PeerAddress = { address: '192.0.2.1', port: 5000 }
export const MINUTE_US = 60_000_000
export const PASSPHRASE = 'right passphrase'

export const HSREQ = handshakeRequest({})

export function handshakeRequest(changes: {
  version?: number
  flags?: number
  receive?: number
  send?: number
}): Extension {
  return renderHandshakeExtension(EXTENSION.handshakeRequest, {
    version: changes.version ?? 0x010501,
    flags: changes.flags ?? LIVE_FLAGS,
    receiveLatencyMs: changes.receive ?? 120,
    sendLatencyMs: changes.send ?? 0,
  })
}

export function keyRequest(passphrase: string): Extension {
  const salt = makeSalt()
  const { material } = makeSessionKeys(deriveKekSync(passphrase, salt, 16), salt)
  return { type: EXTENSION.keyRequest, body: renderKeyMaterial(material) }
}

/** Returns a handshake packet: a conclusion that a listener accepts, with these changes. */
export function render(changes: Partial<Handshake>): Uint8Array {
  return renderHandshake(
    {
      version: 5,
      encryption: 0,
      extensionField: EXTENSION_FLAG.handshake,
      firstSequence: 1234,
      mtu: 1500,
      flowWindow: 8192,
      type: HANDSHAKE_TYPE.conclusion,
      socketId: 77,
      cookie: 0,
      extensions: [HSREQ],
      ...changes,
    },
    { destination: 0, timestamp: 100, peer: PEER.address },
  )
}

export const INDUCTION = render({ version: 4, extensionField: 2, type: HANDSHAKE_TYPE.induction, extensions: [] })

/** A listener, and what came of its packets. */
export class Bench {
  readonly sent: Uint8Array[] = []
  readonly requests: ConnectionRequest[] = []
  readonly refused: number[] = []
  readonly endpoint: Endpoint
  nowUs = 10 * MINUTE_US

  constructor() {
    this.endpoint = new Endpoint({
      transmit: (datagram) => void this.sent.push(datagram),
      request: (request) => void this.requests.push(request),
      refused: (_, code) => void this.refused.push(code),
    })
    this.endpoint.listen({ cookieSecret: new Uint8Array(32).fill(3), maxPending: 4 })
  }

  send(packet: Uint8Array, from = PEER): Handshake | undefined {
    this.sent.length = 0
    this.endpoint.receive(packet, from, this.nowUs)
    const answer = this.sent.at(-1)
    return answer === undefined || readControlType(answer) !== CONTROL.handshake ? undefined : parseHandshake(answer)
  }

  cookie(from = PEER): number {
    return this.send(INDUCTION, from)?.cookie ?? assert.fail('no answer to an induction')
  }

  /** Sends a conclusion with a valid cookie; returns the answer. */
  conclude(changes: Partial<Handshake>, from = PEER): Handshake | undefined {
    return this.send(render({ cookie: this.cookie(from), ...changes }), from)
  }

  accept({ passphrase, options = {} }: { passphrase?: string; options?: ConnectionOptions } = {}): Connection | number {
    const request = this.requests.at(-1) ?? assert.fail('no request')
    const kek =
      passphrase === undefined || request.secret === undefined
        ? undefined
        : deriveKekSync(passphrase, request.secret.salt, request.secret.keyLength)
    this.sent.length = 0
    return request.accept(
      {
        options,
        ...(passphrase === undefined ? {} : { secret: { kek } }),
        events: () => ({ deliver: () => {}, ended: () => {} }),
      },
      this.nowUs,
    )
  }

  get answer(): Handshake {
    return parseHandshake(this.sent.at(-1) ?? assert.fail('no answer')) ?? assert.fail('no handshake')
  }
}
