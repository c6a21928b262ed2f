import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Framer } from './framer.js'
import { joined, packetOf, pesOf } from './packets.test.kit.js'
import { packetise, renderPat, renderPmt } from './render-psi.js'

const TYPES = { video: 0x1b, audio: 0x0f, data: 0x06 }
const NO_BYTES = new Uint8Array(0)
const IDR = [0, 0, 1, 0x65, 0x88]

interface Plan {
  readonly number: number
  readonly tracks: Readonly<Partial<Record<'video' | 'audio' | 'data', readonly number[]>>>
}

/** A framer that is fed stream time, 100 ms at a time: tables, and a unit on each PID that sends. */
class Stream {
  readonly framer: Framer
  readonly leads: string[] = []
  nowMs: number
  #counter = 0

  constructor(options: ConstructorParameters<typeof Framer>[0] = {}, nowMs = 0) {
    this.framer = new Framer(options)
    this.nowMs = nowMs
  }

  send(plans: readonly Plan[], pids: readonly number[], forMs: number): this {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; this.nowMs += 100) {
      this.#counter++
      const units = pids.map((pid) => this.#unit(pid))
      this.#take(this.framer.push(joined(tables(plans, this.#counter), ...units), this.nowMs))
      this.#take(this.framer.flush(this.nowMs))
    }
    return this
  }

  #take(chunks: ReturnType<Framer['push']>): void {
    for (const { lead } of chunks) {
      const text = lead === undefined ? 'none' : `${lead.program}/0x${lead.pid.toString(16)}`
      if (this.leads.at(-1) !== text) this.leads.push(text)
    }
  }

  #unit(pid: number): Uint8Array {
    const payload = pesOf(0xe0, this.nowMs * 90, 0, IDR)
    return packetOf({ pid, counter: this.#counter & 15, unitStart: true, payload })
  }
}

function tables(plans: readonly Plan[], counter: number): Uint8Array {
  const programs = plans.map(({ number }) => ({ program: number, pmtPid: 0x1000 + number }))
  const position = { sectionNumber: 0, lastSectionNumber: 0, networkPid: undefined, transportStreamId: 1 }
  const version = { version: 0, current: true }
  const pmts = plans.map(({ number, tracks }) => {
    const streams = Object.entries(tracks).flatMap(([media, pids]) =>
      pids.map((pid) => ({ pid, streamType: TYPES[media as keyof typeof TYPES], descriptors: NO_BYTES })),
    )
    const pmt = renderPmt({ ...version, program: number, pcrPid: 0x1fff, descriptors: NO_BYTES, streams })
    return packetise(pmt, 0x1000 + number, counter & 15)
  })
  return joined(packetise(renderPat({ ...version, ...position, programs }), 0, counter & 15), ...pmts)
}

const TV = { number: 1, tracks: { video: [0x100], audio: [0x101] } }
const TV2 = { number: 2, tracks: { video: [0x200], audio: [0x201] } }
const RADIO = { number: 3, tracks: { audio: [0x301] } }

const CHOICES: readonly { readonly name: string; plans: readonly Plan[]; sends: readonly number[]; leads: string[] }[] =
  [
    { name: 'the first program, while all send', plans: [TV, TV2], sends: [0x100, 0x101, 0x200], leads: ['1/0x100'] },
    { name: 'video before radio', plans: [RADIO, TV], sends: [0x301, 0x100, 0x101], leads: ['1/0x100'] },
    { name: 'radio if the video never comes', plans: [TV, RADIO], sends: [0x301], leads: ['1/0x100', '3/0x301'] },
    { name: 'the audio of its program', plans: [TV], sends: [0x101], leads: ['1/0x100', '1/0x101'] },
    { name: 'the program that sends', plans: [TV, TV2], sends: [0x200, 0x201], leads: ['1/0x100', '2/0x200'] },
    {
      name: 'the second audio',
      plans: [{ number: 1, tracks: { audio: [0x101, 0x102] } }],
      sends: [0x102],
      leads: ['1/0x101', '1/0x102'],
    },
    {
      name: 'data, where nothing else sends',
      plans: [{ number: 1, tracks: { video: [0x100], data: [0x110] } }],
      sends: [0x110],
      leads: ['1/0x100', '1/0x110'],
    },
    {
      name: 'the video, on a PID that its PMT lists as audio too',
      plans: [{ number: 1, tracks: { audio: [0x100, 0x101], video: [0x100] } }],
      sends: [0x100, 0x101],
      leads: ['1/0x100'],
    },
    {
      name: 'a video that two programs share, once',
      plans: [TV, { ...TV, number: 2 }],
      sends: [0x100],
      leads: ['1/0x100'],
    },
    { name: 'what sends first, if nothing has', plans: [TV, TV2], sends: [], leads: ['1/0x100'] },
  ]

for (const { name, plans, sends, leads } of CHOICES) {
  test(`leads: ${name}`, () => {
    assert.deepEqual(
      new Stream().send(plans, sends, 5000).leads.filter((lead) => lead !== 'none'),
      leads,
    )
  })

  test(`a framer that starts later agrees: ${name}`, () => {
    const first = new Stream().send(plans, sends, 8000)
    const later = new Stream({}, 3000).send(plans, sends, 5000)
    assert.equal(later.leads.at(-1), first.leads.at(-1))
  })
}

test('a track that falls silent leads no more, and does again when it comes', () => {
  const stream = new Stream().send([TV], [0x100, 0x101], 3000).send([TV], [0x101], 3000)
  assert.deepEqual(stream.leads, ['1/0x100', '1/0x101'])
  stream.send([TV], [0x100, 0x101], 1000)
  assert.equal(stream.leads.at(-1), '1/0x100')
})

test('`probe` says how long a track may be silent', () => {
  assert.deepEqual(new Stream({ probeMs: 500 }).send([TV], [0x101], 900).leads, ['1/0x100', '1/0x101'])
  assert.deepEqual(new Stream({ probeMs: 9000 }).send([TV], [0x101], 5000).leads, ['1/0x100'])
})

test('a track known for its pauses, as stills every 6 s, keeps the lead in them', () => {
  const stream = new Stream()
  for (let still = 0; still < 5; still++) stream.send([TV], [0x100, 0x101], 100).send([TV], [0x101], 5900)
  assert.deepEqual(stream.leads, ['1/0x100', '1/0x101', '1/0x100'])
})

test('pictures of a radio programme lead while they come: its sound leads in between', () => {
  const stream = new Stream()
  for (let picture = 0; picture < 3; picture++) stream.send([TV], [0x100, 0x101], 100).send([TV], [0x101], 30_000)
  assert.equal(stream.leads.at(-1), '1/0x101')
})

test('a program that is announced later takes the lead only when it sends', () => {
  const stream = new Stream().send([TV2], [0x200], 1000).send([TV, TV2], [0x200], 3000)
  assert.deepEqual(stream.leads, ['2/0x200'])
  stream.send([TV, TV2], [0x100, 0x200], 200)
  assert.deepEqual(stream.leads, ['2/0x200', '1/0x100'])
})

test('when the program that leads leaves the PAT, another leads at once', () => {
  const stream = new Stream().send([TV, TV2], [0x100, 0x200], 1000).send([TV2], [0x200], 200)
  assert.deepEqual(stream.leads, ['1/0x100', '2/0x200'])
})

test('a video that moves to another PID keeps the lead', () => {
  const moved = { number: 1, tracks: { video: [0x180], audio: [0x101] } }
  const stream = new Stream().send([TV], [0x100, 0x101], 1000).send([moved], [0x180, 0x101], 1000)
  assert.deepEqual(stream.leads, ['1/0x100', '1/0x180'])
})

test('only the chosen program leads, whether or not it sends', () => {
  assert.deepEqual(new Stream({ program: 2 }).send([TV, TV2], [0x100, 0x200], 3000).leads, ['2/0x200'])
  assert.deepEqual(new Stream({ program: 2 }).send([TV, TV2], [0x100], 3000).leads, ['2/0x200'])
  assert.deepEqual(new Stream({ program: 9 }).send([TV, TV2], [0x100], 3000).leads, ['none'])
})

test('the next generation does not wait again for what was silent', () => {
  const before = new Stream().send([TV], [0x101], 3000)
  const next = new Stream({ before: before.framer, generation: 1 }, 3000).send([TV], [0x101], 1000)
  assert.deepEqual(next.leads, ['1/0x101'])
})

test('what is missing is said, once enough of the stream has passed', () => {
  const rows: readonly [readonly Plan[], readonly number[], string][] = [
    [[TV], [], 'announced PID 0x100 silent'],
    [[RADIO], [0x777], 'announced PID 0x301 silent'],
    [[], [0x100], 'the PAT names no program'],
    [[{ number: 1, tracks: {} }], [0x100], 'the PMT names no stream'],
    [[TV], [0x101], ''],
  ]
  for (const [plans, sends, expected] of rows) {
    assert.equal(new Stream().send(plans, sends, 1000).framer.obstacle, '')
    assert.equal(new Stream().send(plans, sends, 4000).framer.obstacle, expected)
  }
})

test('a picture that is announced and does not come is said while the sound leads, and whether it had come', () => {
  const never = new Stream().send([TV], [0x101], 1500)
  assert.equal(never.framer.silence.why, '')
  never.send([TV], [0x101], 1500)
  assert.deepEqual(never.framer.silence, { why: 'announced PID 0x100 silent, audio leads', hasSent: false })
  const dies = new Stream().send([TV], [0x100, 0x101], 4000)
  assert.equal(dies.framer.silence.why, '')
  dies.send([TV], [0x101], 3000)
  assert.deepEqual(dies.framer.silence, { why: 'announced PID 0x100 silent, audio leads', hasSent: true })
  const next = new Stream({ before: dies.framer, generation: 1 }, 7000).send([TV], [0x101], 1000)
  assert.equal(next.framer.silence.hasSent, true)
  next.send([TV], [0x100, 0x101], 1000)
  assert.equal(next.framer.silence.why, '')
  next.send([{ number: 1, tracks: { audio: [0x101] } }], [0x101], 4000)
  assert.equal(next.framer.silence.why, '')
})

test('pictures that a radio programme shows now and then are not said to have stopped', () => {
  const stream = new Stream()
  for (let picture = 0; picture < 3; picture++) stream.send([TV], [0x100, 0x101], 100).send([TV], [0x101], 30_000)
  assert.deepEqual(stream.framer.silence, { why: 'announced PID 0x100 silent, audio leads', hasSent: false })
})

test('another program that leads with a picture is no silence', () => {
  assert.equal(new Stream().send([TV, TV2], [0x200, 0x201], 5000).framer.silence.why, '')
})

const AUD_H264 = [0, 0, 0, 1, 0x09, 0x10, 0, 0, 0, 1, 0x67, 0x64]
const VPS_H265 = [0, 0, 0, 1, 0x40, 0x01, 0x0c]
const SPS_H264 = [0, 0, 1, 0x27, 0x64, 0, 0x1e]
const SEQUENCE_MPEG2 = [0, 0, 1, 0xb3, 0x14]

for (const [codec, streamId, payload] of [
  ['h264', 0xe0, AUD_H264],
  ['h264', 0xe3, SPS_H264],
  ['h265', 0xe0, VPS_H265],
  ['mpeg2video', 0xef, SEQUENCE_MPEG2],
  [undefined, 0xbd, AUD_H264],
  [undefined, 0xe0, IDR],
  [undefined, 0xe0, [1, 2, 3, 0, 0, 1, 0x09, 0x10]],
] as const) {
  const name = codec === undefined ? 'no video' : `video of ${codec}`
  test(`${payload.join(' ')} of stream ${streamId} on a PID of unknown type is ${name}, and video leads before radio`, () => {
    const plan = { number: 1, tracks: { audio: [0x101], data: [0x100] } }
    const framer = new Framer()
    let last: ReturnType<Framer['push']>[number]['lead']
    for (let count = 1; count <= 10; count++) {
      const at = count * 3600
      const units = [
        packetOf({ pid: 0x101, counter: count & 15, unitStart: true, payload: pesOf(0xc0, at) }),
        packetOf({ pid: 0x100, counter: count & 15, unitStart: true, payload: pesOf(streamId, at, 0, payload) }),
      ]
      framer.push(joined(tables([plan], count), ...units), count * 40)
      last = framer.flush(count * 40).at(-1)?.lead ?? last
    }
    const expected = codec === undefined ? { pid: 0x101, codec: 'aac' } : { pid: 0x100, codec }
    assert.deepEqual({ pid: last?.pid, codec: last?.codec }, expected)
  })
}

test('a stream in which every packet has a transport error says so', () => {
  const framer = new Framer()
  for (let count = 0; count < 40; count++) {
    const bytes = tables([TV], count)
    for (let at = 1; at < bytes.length; at += 188) bytes[at] = bytes[at]! | 0x80
    framer.push(bytes, count * 100)
    framer.flush(count * 100)
  }
  assert.equal(framer.obstacle, 'every packet has a transport error')
})
