import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ReportedFinding } from '@millrace/media/hls'
import { keepStreams } from '../cli-streams.test.kit.js'
import { piped } from '../piped.test.kit.js'
import { probeVerb } from './probe.js'

const GOOD = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n'
const BAD = GOOD.replace('#EXTINF:4', '#EXTINF:6')

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-probe-'))
  await writeFile(join(folder, 'good.m3u8'), GOOD)
  await writeFile(join(folder, 'bad.m3u8'), BAD)
  await writeFile(join(folder, 'page.html'), '<html>')
})

after(() => rm(folder, { recursive: true }))

async function probe(target: string, more: Partial<Parameters<typeof probeVerb.run>[2]> = {}, stdin = '') {
  const streams = keepStreams()
  const context = { streams, folder, input: () => piped(stdin) }
  const code = await probeVerb.run(context, target, { for: '0s', segments: '0', ...more })
  return { code, out: streams.outText(), err: streams.errText() }
}

test('a file that keeps the rules ends with 0, one that breaks a must with 1 and a line that says which', async () => {
  assert.deepEqual(await probe('good.m3u8'), { code: 0, out: '1 text checked; no broken rule\n', err: '' })
  const { code, out } = await probe('bad.m3u8')
  assert.equal(code, 1)
  assert.equal(
    out,
    `must segment-too-long [4.4.3.1] bad.m3u8:4
  The duration of a segment, rounded, is at most the target duration.
  seen: 6 s at a target of 4 s
1 text checked; broken rules: 1 must, 0 should, 0 apple
`,
  )
})

test('a playlist comes from stdin too, and the report is JSON on request', async () => {
  const { code, out } = await probe('-', { json: true }, BAD)
  const report = JSON.parse(out) as { readonly findings: readonly ReportedFinding[] }
  assert.deepEqual(
    [code, report.findings.map(({ rule, class: ofClass, section, line }) => [rule, ofClass, section, line])],
    [1, [['segment-too-long', 'must', '4.4.3.1', 4]]],
  )
})

test('text of a playlist cannot change the terminal', async () => {
  const { out } = await probe('-', {}, BAD.replace('a.ts', '\u001b[2Ja.ts').replace('#EXTINF:6,\n', ''))
  assert.ok(!out.includes('\u001b'))
  assert.match(out, /extinf-missing/)
})

const refused = [
  { name: 'what is no playlist', target: 'page.html', code: 2, says: /page\.html: this is no HLS playlist/ },
  { name: 'a file that is not there', target: 'none.m3u8', code: 1, says: /none\.m3u8: ENOENT/ },
  { name: 'a duration that is none', target: 'good.m3u8', options: { for: 'soon' }, code: 2, says: /--for takes/ },
  { name: 'a number that is none', target: 'good.m3u8', options: { segments: '-1' }, code: 2, says: /--segments a/ },
  {
    name: 'a server that is not there',
    target: 'http://user:secret%zz@127.0.0.1:9/a',
    code: 1,
    says: /127\.0\.0\.1:9\/a: /,
  },
]

for (const { name, target, options, code, says } of refused) {
  test(`${name} is refused with a sentence`, async () => {
    const result = await probe(target, options)
    assert.deepEqual([result.code, result.out], [code, ''])
    assert.match(result.err, says)
    assert.ok(!result.err.includes('secret'))
  })
}
