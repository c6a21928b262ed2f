// Key refresh over a network that loses its messages, which nothing sends again but the sender of the key.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONTROL, KEY, isControl, readControlType, readKey, readSubtype } from './packet/header.js'
import { CALLER, LISTENER, connectPair, countUp, feed, run } from './simulated-network.test.kit.js'
import type { Pair } from './simulated-network.test.kit.js'

const MBIT = 125_000
const REQUEST = 3
const RESPONSE = 4
const OPTIONS = {
  ...{ receiveLatencyUs: 200_000, sendLatencyUs: 200_000 },
  keyRefresh: { everyPackets: 300, announcePackets: 100 },
}

function isKeyMessage(datagram: Uint8Array, subtype: number): boolean {
  return isControl(datagram) && readControlType(datagram) === CONTROL.user && readSubtype(datagram) === subtype
}

/** Two sides whose caller refreshes its key, and a switch for the loss of key messages. */
function connect(): { pair: Pair; lossy: { of: number | undefined } } {
  const lossy: { of: number | undefined } = { of: undefined }
  const path = { lose: (datagram: Uint8Array) => lossy.of !== undefined && isKeyMessage(datagram, lossy.of) }
  return {
    pair: connectPair({ caller: OPTIONS, listener: OPTIONS, keyLength: 16, toListener: path, toCaller: path }),
    lossy,
  }
}

describe('a key refresh (libsrt#3362)', () => {
  test('is announced once per round trip and a half until it is answered, and nothing uses the new key before', () => {
    const { pair, lossy } = connect()
    lossy.of = REQUEST
    pair.simulation.isRecording = true
    const sent = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    run(pair, 4_000_000)
    const { datagrams } = pair.simulation
    const requests = datagrams.filter(({ from, datagram }) => from === CALLER && isKeyMessage(datagram, REQUEST))
    const gaps = requests.slice(10).map(({ atUs }, at) => atUs - requests[at + 9]!.atUs)
    assert.ok(gaps.length > 20 && Math.min(...gaps) >= 40_000 && Math.max(...gaps) <= 80_000, `${gaps.join()}`)
    const keys = datagrams.filter(({ datagram }) => !isControl(datagram)).map(({ datagram }) => readKey(datagram))
    assert.deepEqual(new Set(keys), new Set([KEY.even]))
    lossy.of = undefined
    datagrams.length = 0
    const more = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 2_000_000 })
    run(pair, 3_000_000)
    assert.ok(datagrams.some(({ datagram }) => !isControl(datagram) && readKey(datagram) === KEY.odd))
    assert.deepEqual(pair.listener.received, [...countUp(sent.sent), ...countUp(more.sent)])
    assert.equal(pair.listener.connection.stats(0).receive.undecryptable, 0)
  })

  test('whose answers are lost is confirmed again, and counted once', () => {
    const { pair, lossy } = connect()
    lossy.of = RESPONSE
    pair.simulation.isRecording = true
    const sent = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 3_000_000 })
    run(pair, 2_000_000)
    const answers = () =>
      pair.simulation.datagrams.filter(({ from, datagram }) => from === LISTENER && isKeyMessage(datagram, RESPONSE))
    assert.ok(answers().length > 10)
    assert.equal(pair.listener.connection.stats(0).keyRefreshes, 1)
    lossy.of = undefined
    run(pair, 2_000_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    const { keyRefreshes, keyRefusals, receive } = pair.listener.connection.stats(0)
    assert.ok(keyRefreshes >= 2)
    assert.deepEqual([keyRefusals, receive.undecryptable], [0, 0])
  })

  test('goes on in both directions at once, over 20 % loss each way', () => {
    const path = { loss: 0.2 }
    const options = { ...OPTIONS, receiveLatencyUs: 1_000_000, sendLatencyUs: 1_000_000 }
    const pair = connectPair({ caller: options, listener: options, keyLength: 32, toListener: path, toCaller: path })
    const up = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    const down = feed(pair, pair.listener, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    run(pair, 6_000_000)
    assert.deepEqual(pair.listener.received, countUp(up.sent))
    assert.deepEqual(pair.caller.received, countUp(down.sent))
    for (const { connection } of [pair.caller, pair.listener]) assert.ok(connection.stats(0).keyRefreshes >= 3)
  })
})
