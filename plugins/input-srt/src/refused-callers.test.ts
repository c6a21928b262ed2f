import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeContext } from '@millrace/engine/testing'
import { REJECT } from '@millrace/srt'
import { RefusedCallers } from './refused-callers.js'
import { SrtBench, until } from './srt-bench.test.kit.js'

test('the log says why a caller is refused, what it asked for, and no credentials', async () => {
  await using bench = await SrtBench.open({ passphrase: 'that-of-the-listener' })
  const rows = [
    ['#!::r=news,m=publish,s=5e55107', {}, 'refused a caller: it has no passphrase', 'publish:news'],
    ['publish:news', { passphrase: 'something-else' }, 'refused a caller: its passphrase is wrong', 'publish:news'],
    ['nothing?token=t0ken', {}, /no stream has this name now; expected #!::r=NAME/, 'read:nothing'],
    [
      '#!::r=news,m=publish,p=se,zz9',
      {},
      /the StreamID is not valid: part 4 is not key=value; expected #!::r=/,
      '#!::r',
    ],
  ] as const
  bench.input()
  for (const [streamId, more, text, asked] of rows) {
    await bench.refusalOf(streamId, more)
    await until(() => linesOf(bench.context).some((line) => line.asked === asked && matches(line.text, text)), streamId)
  }
  assert.doesNotMatch(JSON.stringify(bench.context.lines), /5e55107|t0ken|zz9|something-else/)
})

for (const [streamId, asked] of [
  ['publish:news:anna:pa55word', 'publish:news:anna:***'],
  ['#!::r=news:anna:pa55word,m=publish', 'publish:news:anna:***'],
  ['publish:news:pa55word:pa55word', 'publish:news:***:***'],
] as const) {
  test(`${streamId}: the log shows ${asked}, and what is expected`, async () => {
    await using bench = await SrtBench.open()
    bench.input()
    await bench.refusalOf(streamId)
    await until(() => linesOf(bench.context).length > 0, 'the line')
    const [line] = linesOf(bench.context)
    assert.equal(line?.asked, asked)
    assert.match(line.text, /no input takes this name; expected #!::r=NAME/)
    assert.doesNotMatch(JSON.stringify(bench.context.lines), /pa55word/)
  })
}

test('each code has one line in ten seconds, which counts the callers since the last one', () => {
  const context = new FakeContext()
  let nowMs = 0
  const refused = new RefusedCallers({ nowMs: () => nowMs }, context.log)
  const note = (code: number): void =>
    refused.note({ code, why: 'for a test', client: '[::1]:5', asked: 'a\u009bb\u202e' })
  for (let count = 0; count < 500; count++) note(REJECT.notFound)
  note(REJECT.badSecret)
  nowMs = 10_000
  note(REJECT.notFound)
  refused.noteUnasked({ address: '::1', port: 5 }, REJECT.filter)
  refused.noteUnasked({ address: '::1', port: 5 }, REJECT.rogue)
  const lines = linesOf(context).map(({ code, refused: count }) => [code, count])
  const expected = [
    ['1404 (notFound)', 1],
    ['10 (badSecret)', 1],
    ['1404 (notFound)', 500],
    ['14 (filter)', 1],
  ]
  assert.deepEqual(lines, expected)
  assert.equal(linesOf(context)[0]?.asked, 'a?b?')
})

interface Line {
  readonly text: string
  readonly asked?: string
  readonly code?: string
  readonly refused?: number
}

function linesOf({ lines }: FakeContext): Line[] {
  return lines.filter(({ level }) => level === 'warn').map(({ text, data }) => ({ ...(data as object), text }))
}

function matches(text: string, expected: string | RegExp): boolean {
  return typeof expected === 'string' ? text === expected : expected.test(text)
}
