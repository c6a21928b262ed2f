import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCounter, readPid } from './packet.js'
import { type Pat, parsePat } from './pat.js'
import { parsePmt, type Pmt } from './pmt.js'
import { packetise, renderPat, renderPmt } from './render-psi.js'
import { SectionAssembler } from './section-assembler.js'

/** Records that compare deeply equal to object literals. */
const PLAIN = { noNullPrototype: true } as const
const NO_DESCRIPTORS = new Uint8Array(0)

const pid = fc.integer({ min: 0, max: 0x1fff })
const byte = fc.integer({ min: 0, max: 255 })
const word = fc.integer({ min: 0, max: 65535 })
const version = fc.integer({ min: 0, max: 31 })

const anyProgram = fc.record({ program: fc.integer({ min: 1, max: 65535 }), pmtPid: pid }, PLAIN)

const anyPat: fc.Arbitrary<Pat> = fc.record(
  {
    transportStreamId: word,
    version,
    current: fc.boolean(),
    sectionNumber: byte,
    lastSectionNumber: byte,
    programs: fc.array(anyProgram, { maxLength: 252 }),
    networkPid: fc.option(pid, { nil: undefined }),
  },
  PLAIN,
)

const descriptorBytes = fc.uint8Array({ maxLength: 40 })
const anyStream = fc.record({ pid, streamType: byte, descriptors: descriptorBytes }, PLAIN)

const anyPmt: fc.Arbitrary<Pmt> = fc.record(
  {
    program: word,
    version,
    current: fc.boolean(),
    pcrPid: pid,
    descriptors: descriptorBytes,
    streams: fc.array(anyStream, { maxLength: 20 }),
  },
  PLAIN,
)

/** Sections as on the wire, hand-made, without CRC_32. */
const patRows: readonly { name: string; pat: Pat; bytes: readonly number[] }[] = [
  {
    name: 'one program',
    pat: {
      transportStreamId: 1,
      version: 0,
      current: true,
      sectionNumber: 0,
      lastSectionNumber: 0,
      programs: [{ program: 1, pmtPid: 0x1000 }],
      networkPid: undefined,
    },
    bytes: [0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xf0, 0x00],
  },
  {
    name: 'the second of three sections of the next version, with a network PID',
    pat: {
      transportStreamId: 0xabcd,
      version: 31,
      current: false,
      sectionNumber: 1,
      lastSectionNumber: 2,
      programs: [{ program: 0x1234, pmtPid: 0x1ffe }],
      networkPid: 0x10,
    },
    bytes: [0x00, 0xb0, 0x11, 0xab, 0xcd, 0xfe, 0x01, 0x02, 0x00, 0x00, 0xe0, 0x10, 0x12, 0x34, 0xff, 0xfe],
  },
]

const pmtRows: readonly { name: string; pmt: Pmt; bytes: readonly number[] }[] = [
  {
    name: 'video and audio with a language',
    pmt: {
      program: 1,
      version: 3,
      current: true,
      pcrPid: 0x100,
      descriptors: NO_DESCRIPTORS,
      streams: [
        { pid: 0x100, streamType: 0x1b, descriptors: NO_DESCRIPTORS },
        { pid: 0x101, streamType: 0x0f, descriptors: Uint8Array.of(0x0a, 4, 0x65, 0x6e, 0x67, 0) },
      ],
    },
    bytes: [
      0x02, 0xb0, 0x1d, 0x00, 0x01, 0xc7, 0x00, 0x00, 0xe1, 0x00, 0xf0, 0x00, 0x1b, 0xe1, 0x00, 0xf0, 0x00, 0x0f, 0xe1,
      0x01, 0xf0, 0x06, 0x0a, 0x04, 0x65, 0x6e, 0x67, 0x00,
    ],
  },
  {
    name: 'only a program descriptor',
    pmt: {
      program: 0xfffe,
      version: 0,
      current: false,
      pcrPid: 0x1fff,
      descriptors: Uint8Array.of(0x05, 4, 0x43, 0x55, 0x45, 0x49),
      streams: [],
    },
    bytes: [0x02, 0xb0, 0x13, 0xff, 0xfe, 0xc0, 0x00, 0x00, 0xff, 0xff, 0xf0, 0x06, 0x05, 0x04, 0x43, 0x55, 0x45, 0x49],
  },
]

test('PAT sections are rendered and parsed byte by byte', () => {
  for (const { name, pat, bytes } of patRows) {
    const section = renderPat(pat)
    assert.deepEqual([...section.subarray(0, -4)], bytes, name)
    assert.deepEqual(parsePat(section, section.length), pat, name)
  }
})

test('PMT sections are rendered and parsed byte by byte', () => {
  for (const { name, pmt, bytes } of pmtRows) {
    const section = renderPmt(pmt)
    assert.deepEqual([...section.subarray(0, -4)], bytes, name)
    assert.deepEqual(parsePmt(section, section.length), pmt, name)
  }
})

test('the PAT that ffmpeg writes has the CRC that ffmpeg writes', () => {
  const pat = renderPat(patRows[0]!.pat)
  assert.deepEqual([...pat.subarray(-4)], [0x2a, 0xb1, 0x04, 0xb2])
})

test('rendered tables are parsed back unchanged', () => {
  fc.assert(
    fc.property(anyPat, (pat) => {
      const section = renderPat(pat)
      assert.deepEqual(parsePat(section, section.length), pat)
    }),
  )
  fc.assert(
    fc.property(anyPmt, (pmt) => {
      const section = renderPmt(pmt)
      const larger = new Uint8Array(section.length + 50)
      larger.set(section)
      assert.deepEqual(parsePmt(larger, section.length), pmt)
    }),
  )
})

test('a parsed PMT owns its bytes', () => {
  const section = renderPmt(pmtRows[0]!.pmt)
  const pmt = parsePmt(section, section.length)
  section.fill(0)
  assert.deepEqual(pmt, pmtRows[0]!.pmt)
})

test('sections are packetised and reassembled unchanged', () => {
  fc.assert(
    fc.property(anyPmt, pid, version, (pmt, onPid, counter) => {
      const section = renderPmt(pmt)
      const packets = packetise(section, onPid, counter)
      const assembler = new SectionAssembler()
      const seen: Uint8Array[] = []
      for (let at = 0; at < packets.length; at += 188) {
        assert.equal(packets[at], 0x47)
        assert.equal(readPid(packets, at), onPid)
        assert.equal(readCounter(packets, at), (counter + at / 188) % 16)
        const add = (bytes: Uint8Array, length: number) => void seen.push(bytes.slice(0, length))
        assert.equal(assembler.push(packets, at + 4, at + 188, at === 0, add), 0)
      }
      assert.deepEqual(seen, [section])
    }),
  )
})

test('oversized sections are refused', () => {
  const programs = Array.from({ length: 254 }, (_, index) => ({ program: index + 1, pmtPid: 100 }))
  assert.throws(() => renderPat({ ...patRows[0]!.pat, programs }), RangeError)
  assert.throws(() => renderPmt({ ...pmtRows[0]!.pmt, descriptors: new Uint8Array(1000) }), RangeError)
})

test('malformed sections return undefined', () => {
  const pat = renderPat(patRows[0]!.pat)
  const pmt = renderPmt(pmtRows[0]!.pmt)
  const rows = [
    { name: 'empty', value: parsePat(pat, 0) },
    { name: 'length beyond the array', value: parsePat(pat.subarray(0, 14), 16) },
    { name: 'length that is not section_length', value: parsePat(pat, pat.length - 1) },
    { name: 'another table', value: parsePat(pmt, pmt.length) },
    { name: 'half an entry', value: parsePat(withSectionLength(pat, 0x0b), 14) },
    { name: 'PAT as PMT', value: parsePmt(pat, pat.length) },
    { name: 'no section syntax', value: parsePmt(pmt.with(1, 0x30), pmt.length) },
    { name: 'program_info_length beyond the end', value: parsePmt(pmt.with(11, 0xff), pmt.length) },
    { name: 'ES_info_length beyond the end', value: parsePmt(pmt.with(21, 7), pmt.length) },
    { name: 'half a stream', value: parsePmt(pmt.with(16, 9), pmt.length) },
    { name: 'no room for PCR_PID', value: parsePmt(withSectionLength(pmt, 9), 12) },
  ]
  for (const { name, value } of rows) assert.equal(value, undefined, name)
})

test('arbitrary bytes are parsed without throwing', () => {
  const flipped = fc.tuple(anyPmt, fc.array(fc.tuple(fc.nat(1023), byte), { minLength: 1, maxLength: 8 }))
  fc.assert(
    fc.property(flipped, fc.boolean(), ([pmt, changes], isPat) => {
      const section = renderPmt(pmt)
      for (const [position, value] of changes) section[position % section.length] = value
      if (isPat) section[0] = 0
      parsePat(section, section.length)
      parsePmt(section, section.length)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), (section, length) => {
      parsePat(section, length)
      parsePmt(section, length)
    }),
  )
})

/** The section with another section_length. */
function withSectionLength(section: Uint8Array, sectionLength: number): Uint8Array {
  return section.with(2, sectionLength)
}
