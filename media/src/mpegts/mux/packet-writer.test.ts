import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RANDOM_ACCESS_FLAG } from '../packet.js'
import { PacketWriter } from './packet-writer.js'

function write(size: number, flags = 0, pcr27M = -1): Buffer {
  const parts: Uint8Array[] = []
  const writer = new PacketWriter((bytes, length) => parts.push(bytes.slice(0, length)))
  writer.open({ pid: 0x101, next: 15 }, size, flags, pcr27M)
  writer.put(new Uint8Array(size).fill(0xaa), 0, size)
  writer.emit()
  return Buffer.concat(parts)
}

const heads = [
  { name: 'a full packet', args: [184], packets: 1, hex: '4741011faaaa' },
  { name: 'one byte of stuffing', args: [183], packets: 1, hex: '4741013f00aa' },
  { name: 'two bytes of stuffing', args: [182], packets: 1, hex: '4741013f0100aa' },
  { name: 'three bytes of stuffing', args: [181], packets: 1, hex: '4741013f0200ffaa' },
  { name: 'random access', args: [182, RANDOM_ACCESS_FLAG], packets: 1, hex: '4741013f0140aa' },
  { name: 'a PCR', args: [176, RANDOM_ACCESS_FLAG, 300 + 299], packets: 1, hex: '4741013f0750000000 00ff2baa' },
  { name: 'a PCR that leaves no room', args: [177, 0, 0], packets: 2, hex: '4741013f07100000000 07e00aa' },
] as const

for (const { name, args, packets, hex } of heads) {
  test(`a unit begins with ${name}`, () => {
    const bytes = write(...(args as readonly [number, number?, number?]))
    const expected = hex.replace(' ', '')
    assert.equal(bytes.length, packets * 188)
    assert.equal(bytes.toString('hex', 0, expected.length / 2), expected)
    assert.equal(
      bytes.reduce((sum, byte) => sum + (byte === 0xaa ? 1 : 0), 0),
      args[0],
    )
  })
}

test('the counter of the second packet follows', () => {
  assert.equal(write(185)[188 + 3]! & 0x0f, 0)
})

test('a unit larger than a batch comes in several', () => {
  let batches = 0
  let total = 0
  const writer = new PacketWriter((_, length) => {
    batches++
    total += length
  })
  const source = new Uint8Array(400_000)
  writer.load(source, 0, source.length)
  writer.open({ pid: 0x101, next: 0 }, source.length, 0, -1)
  writer.putLoaded(0, source.length)
  writer.emit()
  assert.deepEqual([batches, total], [3, Math.ceil(source.length / 184) * 188])
})
