// Callers that a listener refuses, with which code, and whether anybody is asked.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONTROL, readControlType, readDestination } from '../packet/header.js'
import { EXTENSION, HANDSHAKE_TYPE, renderTextExtension } from './handshake-packet.js'
import type { Handshake } from './handshake-packet.js'
import { Bench, HSREQ, PASSPHRASE, PEER, handshakeRequest, keyRequest } from './listener-bench.test.kit.js'
import { REJECT } from './reject-code.js'

describe('a listener', () => {
  const refusals: { name: string; code: number; changes: Partial<Handshake> }[] = [
    { name: 'without a handshake extension', code: REJECT.rogue, changes: { extensions: [] } },
    { name: 'that does not flag it', code: REJECT.rogue, changes: { extensionField: 0 } },
    { name: 'of libsrt 1.2', code: REJECT.version, changes: { extensions: [handshakeRequest({ version: 0x010200 })] } },
    { name: 'of stream mode', code: REJECT.messageApi, changes: { extensions: [handshakeRequest({ flags: 0x7f })] } },
    { name: 'without TSBPD', code: REJECT.rogue, changes: { extensions: [handshakeRequest({ flags: 0x3c })] } },
    { name: 'of file mode', code: REJECT.congestion, changes: { extensions: [HSREQ, renderTextExtension(6, 'file')] } },
    {
      name: 'with a packet filter (libsrt#3131)',
      code: REJECT.filter,
      changes: { extensions: [HSREQ, renderTextExtension(7, 'fec,cols:10,rows:5')] },
    },
    {
      name: 'of a bonded caller (libsrt#1490)',
      code: REJECT.group,
      changes: { extensions: [HSREQ, { type: EXTENSION.group, body: new Uint8Array(8) }] },
    },
    {
      name: 'with damaged key material',
      code: REJECT.rogue,
      changes: { extensions: [HSREQ, { type: EXTENSION.keyRequest, body: new Uint8Array(20) }] },
    },
    {
      name: 'with AES-GCM',
      code: REJECT.crypto,
      changes: {
        extensions: [
          HSREQ,
          { type: EXTENSION.keyRequest, body: keyRequest(PASSPHRASE).body.map((byte, at) => (at === 8 ? 4 : byte)) },
        ],
      },
    },
    {
      name: 'with a StreamID that is not UTF-8',
      code: REJECT.rogue,
      changes: { extensions: [HSREQ, { type: EXTENSION.streamId, body: new Uint8Array(8).fill(0xff) }] },
    },
  ]
  for (const { name, code, changes } of refusals) {
    test(`refuses a conclusion ${name} with ${code}, without asking`, () => {
      const bench = new Bench()
      assert.equal(bench.conclude(changes)?.type, 1000 + code)
      assert.deepEqual(bench.refused, [code])
      assert.equal(bench.requests.length, 0)
    })
  }

  test('refuses both links of a bonded caller, and a new try of each (libsrt#1490)', () => {
    const bench = new Bench()
    const extensions = [
      HSREQ,
      { type: EXTENSION.group, body: Uint8Array.of(0x40, 0, 0, 1, 2, 0, 0, 1) },
      renderTextExtension(EXTENSION.streamId, 'publish:cam'),
    ]
    for (const socketId of [1, 2]) {
      for (const port of [5000, 5001])
        assert.equal(bench.conclude({ socketId, extensions }, { ...PEER, port })?.type, 1000 + REJECT.group)
    }
    assert.deepEqual([bench.refused.length, bench.requests.length, bench.endpoint.connectionCount], [4, 0, 0])
  })

  test('skips extensions that it does not know', () => {
    const bench = new Bench()
    bench.conclude({ extensions: [{ type: 99, body: new Uint8Array(8) }, HSREQ] })
    assert.equal(bench.requests.length, 1)
  })

  test('sends a shutdown to callers of handshake 4, which would take a rejection for a success', () => {
    const bench = new Bench()
    assert.equal(bench.conclude({ version: 4, extensionField: 2, extensions: [] }), undefined)
    assert.equal(readControlType(bench.sent[0]!), CONTROL.shutdown)
    assert.equal(readDestination(bench.sent[0]!), 77)
    assert.deepEqual([bench.refused, bench.requests.length], [[REJECT.version], 0])
  })

  test('takes nothing from a caller of handshake 4 afterwards: neither data nor key material outside a handshake', () => {
    const bench = new Bench()
    bench.conclude({ version: 4, extensionField: 2, extensions: [] })
    const data = new Uint8Array(1332)
    const keyMessage = new Uint8Array(80)
    keyMessage.set([0xff, 0xff, 0, 3])
    for (const packet of [data, keyMessage]) {
      new DataView(packet.buffer).setUint32(12, 77)
      assert.equal(bench.send(packet), undefined)
    }
    assert.deepEqual([bench.sent.length, bench.endpoint.connectionCount, bench.endpoint.stats().unknownIds], [0, 0, 2])
  })

  const secrets: { caller: string | undefined; listener: string | undefined; code: number | undefined }[] = [
    { caller: undefined, listener: undefined, code: undefined },
    { caller: PASSPHRASE, listener: PASSPHRASE, code: undefined },
    { caller: 'wrong passphrase', listener: PASSPHRASE, code: REJECT.badSecret },
    { caller: undefined, listener: PASSPHRASE, code: REJECT.unsecure },
    { caller: PASSPHRASE, listener: undefined, code: REJECT.unsecure },
  ]
  for (const { caller, listener, code } of secrets) {
    test(`answers a caller with ${caller ?? 'no passphrase'} by ${code ?? 'accepting it'} where ${listener ?? 'none'} is right`, () => {
      const bench = new Bench()
      // The encryption field stays 0, as ffmpeg leaves it without pbkeylen (libsrt#3186).
      bench.conclude({ extensions: caller === undefined ? [HSREQ] : [HSREQ, keyRequest(caller)] })
      const result = bench.accept(listener === undefined ? undefined : { passphrase: listener })
      assert.equal(typeof result === 'number' ? result : undefined, code)
      assert.equal(bench.answer.type, code === undefined ? HANDSHAKE_TYPE.conclusion : 1000 + code)
      assert.equal(bench.endpoint.connectionCount, code === undefined ? 1 : 0)
    })
  }

  test('rejects an unknown stream with its own code even if the passphrase is wrong (libsrt#2925)', () => {
    const bench = new Bench()
    bench.conclude({ extensions: [HSREQ, keyRequest('wrong passphrase')] })
    bench.requests[0]!.reject(1404, bench.nowUs)
    assert.equal(bench.answer.type, 2404)
  })
})
