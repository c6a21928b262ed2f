import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32Mpeg } from './crc32.js'
import { SectionAssembler } from './section-assembler.js'

const ROOM = 184

/** A private section with section_syntax_indicator 1 and a right CRC around `body`. */
function sectionOf(body: Uint8Array, tableId = 0x40): Uint8Array {
  const section = new Uint8Array(3 + body.length + 4)
  const view = new DataView(section.buffer)
  view.setUint8(0, tableId)
  view.setUint16(1, 0xb000 | (body.length + 4))
  section.set(body, 3)
  view.setUint32(section.length - 4, crc32Mpeg(section, 0, section.length - 4))
  return section
}

function bodyOf(size: number, fill = 7): Uint8Array {
  return new Uint8Array(size).fill(fill)
}

/** Payloads of `room` bytes with the sections back to back; a pointer_field in each payload where a section begins. */
function payloadsOf(sections: readonly Uint8Array[], room: number): { payload: Uint8Array; unitStart: boolean }[] {
  const stream = sections.flatMap((section) => [...section])
  const starts = sections.map((_, number) => sections.slice(0, number).reduce((sum, { length }) => sum + length, 0))
  const payloads: { payload: Uint8Array; unitStart: boolean }[] = []
  for (let at = 0; at < stream.length;) {
    const first = starts.find((start) => start >= at && start < at + room - 1)
    const unitStart = first !== undefined
    const taken = room - (unitStart ? 1 : 0)
    // the one byte that a pointer_field would cost must not hold the only start in this packet
    const isLastByteStart = !unitStart && starts.includes(at + room - 1)
    const size = isLastByteStart ? room - 1 : taken
    const data = stream.slice(at, at + size)
    at += data.length
    const payload = new Uint8Array(unitStart ? 1 + taken : size).fill(0xff)
    if (unitStart) payload[0] = first - (at - data.length)
    payload.set(data, unitStart ? 1 : 0)
    payloads.push({ payload, unitStart })
  }
  return payloads
}

function collect(payloads: readonly { payload: Uint8Array; unitStart: boolean }[], assembler = new SectionAssembler()) {
  const sections: Uint8Array[] = []
  let failed = 0
  for (const { payload, unitStart } of payloads) {
    const add = (section: Uint8Array, length: number) => void sections.push(section.slice(0, length))
    failed += assembler.push(payload, 0, payload.length, unitStart, add)
  }
  return { sections, failed }
}

function start(...bytes: number[]): { payload: Uint8Array; unitStart: boolean } {
  return { payload: Uint8Array.from(bytes), unitStart: true }
}

function continuation(...bytes: number[]): { payload: Uint8Array; unitStart: boolean } {
  return { payload: Uint8Array.from(bytes), unitStart: false }
}

test('sections are reassembled whole, however they are spread over packets', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 5, maxLength: 1200 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(bodies, fc.integer({ min: 2, max: ROOM }), (list, room) => {
      const sections = list.map((body) => sectionOf(body))
      assert.deepEqual(collect(payloadsOf(sections, room)), { sections, failed: 0 })
    }),
  )
})

test('several sections in one packet are delivered in order', () => {
  const sections = [sectionOf(bodyOf(20, 1)), sectionOf(bodyOf(30, 2)), sectionOf(bodyOf(40, 3))]
  const payloads = payloadsOf(sections, ROOM)
  assert.equal(payloads.length, 1)
  assert.deepEqual(collect(payloads).sections, sections)
})

test('a section of maximum length passes, a larger one fails', () => {
  const largest = sectionOf(bodyOf(4089))
  assert.equal(largest.length, 4096)
  assert.deepEqual(collect(payloadsOf([largest], ROOM)), { sections: [largest], failed: 0 })
  const larger = sectionOf(bodyOf(4090))
  assert.deepEqual(collect(payloadsOf([larger], ROOM)), { sections: [], failed: 1 })
  const short = collect(payloadsOf([sectionOf(bodyOf(100))], ROOM), new SectionAssembler(50))
  assert.deepEqual(short, { sections: [], failed: 1 })
})

test('a section with a wrong CRC fails, and the next one is still delivered', () => {
  const bad = sectionOf(bodyOf(30))
  bad[10] = bad[10]! ^ 1
  const good = sectionOf(bodyOf(20))
  assert.deepEqual(collect(payloadsOf([bad, good], ROOM)), { sections: [good], failed: 1 })
})

test('tables without a CRC are delivered unchanged', () => {
  const timeAndDate = Uint8Array.from([0x70, 0x70, 5, 1, 2, 3, 4, 5])
  assert.deepEqual(collect([start(0, ...timeAndDate)]), { sections: [timeAndDate], failed: 0 })
})

test('the CRC of a time offset table is checked although section_syntax_indicator is 0', () => {
  const offset = sectionOf(bodyOf(10), 0x73)
  offset[1] = offset[1]! & 0x7f
  new DataView(offset.buffer).setUint32(offset.length - 4, crc32Mpeg(offset, 0, offset.length - 4))
  assert.deepEqual(collect([start(0, ...offset)]), { sections: [offset], failed: 0 })
  offset[5] = 99
  assert.deepEqual(collect([start(0, ...offset)]), { sections: [], failed: 1 })
})

test('damaged sections are counted and never delivered', () => {
  const section = [...sectionOf(bodyOf(50))]
  const next = [...sectionOf(bodyOf(10))]
  const rows = [
    { name: 'pointer_field beyond the packet', payloads: [start(200, 1, 2, 3)], failed: 1, delivered: 0 },
    { name: 'pointer_field to the very end', payloads: [start(3, 1, 2, 3)], failed: 0, delivered: 0 },
    { name: 'stuffing only', payloads: [start(0, 0xff, 0xff)], failed: 0, delivered: 0 },
    { name: 'no payload', payloads: [start()], failed: 0, delivered: 0 },
    { name: 'begins in mid-section', payloads: [continuation(...section)], failed: 0, delivered: 0 },
    {
      name: 'truncated by the next',
      payloads: [start(0, ...section.slice(0, 30)), start(0, ...next)],
      failed: 1,
      delivered: 1,
    },
    { name: 'no room for the CRC', payloads: [start(0, 0x42, 0xb0, 2, 1, 2)], failed: 1, delivered: 0 },
    {
      name: 'junk after the end is not a section',
      payloads: [start(0, ...section.slice(0, 30)), continuation(...section.slice(30), ...next)],
      failed: 0,
      delivered: 1,
    },
    {
      name: 'header over three packets',
      payloads: [start(0, section[0]!), continuation(section[1]!), continuation(...section.slice(2))],
      failed: 0,
      delivered: 1,
    },
  ]
  for (const { name, payloads, failed, delivered } of rows) {
    const result = collect(payloads)
    assert.equal(result.failed, failed, name)
    assert.equal(result.sections.length, delivered, name)
  }
})

test('after a reset the rest of the old section is skipped without being counted', () => {
  const section = [...sectionOf(bodyOf(50))]
  const assembler = new SectionAssembler()
  assert.deepEqual(collect([start(0, ...section.slice(0, 30))], assembler), { sections: [], failed: 0 })
  assembler.reset()
  assert.deepEqual(collect([continuation(...section.slice(30))], assembler), { sections: [], failed: 0 })
  assert.equal(collect([start(0, ...section)], assembler).sections.length, 1)
})

test('arbitrary bytes are accepted without throwing or reading outside the payload', () => {
  const payload = fc.tuple(fc.uint8Array({ maxLength: ROOM }), fc.boolean(), fc.uint8Array({ maxLength: 9 }))
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 40 }), (payloads) => {
      const alone = new SectionAssembler()
      const within = new SectionAssembler()
      for (const [body, unitStart, around] of payloads) {
        const seen: string[] = []
        const add = (section: Uint8Array, length: number) => void seen.push(section.subarray(0, length).join())
        const joined = Uint8Array.from([...around, ...body, ...around])
        const failed = alone.push(body, 0, body.length, unitStart, add)
        const seenAlone = seen.splice(0)
        const end = around.length + body.length
        assert.equal(within.push(joined, around.length, end, unitStart, add), failed)
        assert.deepEqual(seen, seenAlone)
      }
    }),
  )
})
