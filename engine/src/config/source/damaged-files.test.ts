// Whatever a file contains, its mistakes are reported soon, and other work runs meanwhile.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { examplePlugins, pipelineWith } from '../example-config.test.js'
import { loadConfig } from '../load-config.js'

const MIB = 1024 * 1024
/** CPU time, so other load on the machine does not count. Without the ceilings it takes 80 s. */
const SOON_MS = 5000
/** How long loading may block the event loop at a stretch. */
const AT_A_STRETCH_MS = 1000

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'a half-written file': pipelineWith({ outputs: 'ts: { type: http-ts, from: ma' }).slice(0, -1),
  'an empty file': '',
  'nothing but comments': '# a\n'.repeat(MIB / 4),
  'nothing but line ends': '\n'.repeat(MIB),
  'open braces': '{'.repeat(MIB),
  'closed braces': '}'.repeat(MIB),
  'open brackets': '['.repeat(MIB),
  'lists in lists': '- '.repeat(MIB / 2),
  'a list of lists': '-\n'.repeat(MIB / 2),
  'keys without values': ': '.repeat(MIB / 2),
  'the same key again and again': `{ ${'b: 1,'.repeat(MIB / 6)} }`,
  'deep blocks': lines(1400, (index) => `${' '.repeat(index)}a:`),
  'brackets that close': `[${`${'['.repeat(60)}${']'.repeat(60)},`.repeat(8000)}]`,
  anchors: '&a '.repeat(MIB / 3),
  'an alias bomb': `version: 1\nx: &a [${'1,'.repeat(9000)}]\ny: [${'*a,'.repeat(9000)}]`,
  'merged maps': `version: 1\nx: &a {${lines(2000, (index) => `k${index}: 1,`)}}\n${lines(1000, (i) => `y${i}: { <<: *a }`)}`,
  NULs: new Uint8Array(MIB),
  'a NUL in a file': pipelineWith({}).replace('a.ts', 'a\0.ts').replace('path:', 'pth:'),
  'an open quote': `"${'a\n'.repeat(MIB / 2 - 2)}`,
  'one long word': 'a'.repeat(MIB),
  'variables without end': `version: 1\na: "${'${A}'.repeat(15_000)}"`,
  'a file over 1 MiB': 'a'.repeat(MIB + 1),
  'bytes that are not text': Uint8Array.from({ length: MIB }, (_, index) => index * 31),
  'mistakes in every node': `version: 1\npipelines:\n  one:\n    outputs:\n${lines(1400, (i) => `      n${i}: { type: htp, from: m${i} }`)}`,
  'names that do not exist': `version: 1\npipelines: { one: { outputs: { a: { type: hls, from: [${lines(9000, (i) => `m${i},`)}] } } } }`,
}

for (const [name, content] of Object.entries(FILES)) {
  test(`${name}: reported soon, without blocking the event loop`, async () => {
    const startedMs = cpuMs()
    let lastMs = startedMs
    let longestMs = 0
    const probe = setInterval(() => {
      const nowMs = cpuMs()
      longestMs = Math.max(longestMs, nowMs - lastMs)
      lastMs = nowMs
    }, 1)
    const contents = new Map([['a.yaml', content]])
    const { graph, diagnostics, sources } = await loadConfig(['a.yaml'], { env: {}, plugins: examplePlugins, contents })
    const endedMs = cpuMs()
    const tookMs = endedMs - startedMs
    longestMs = Math.max(longestMs, endedMs - lastMs)
    clearInterval(probe)
    assert.equal(graph, undefined)
    assert.ok(diagnostics.length > 0 && diagnostics.length <= 2001)
    assert.ok(diagnostics.some(({ severity }) => severity === 'error'))
    assert.equal(sources.length, 1)
    assert.ok(tookMs < SOON_MS, `${tookMs} ms`)
    assert.ok(longestMs < AT_A_STRETCH_MS, `${longestMs} ms at a stretch`)
  })
}

/** CPU time of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

test('a folder in place of a file is reported', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-folder-'))
  try {
    const path = join(folder, 'live.yaml')
    await mkdir(path)
    const { diagnostics, sources } = await loadConfig([path], { env: {}, plugins: examplePlugins })
    assert.deepEqual(
      diagnostics.map(({ code, message }) => `${code} ${message}`),
      ['CONFIG_UNREADABLE the file cannot be read: it is a folder'],
    )
    assert.deepEqual(sources, [path])
  } finally {
    await rm(folder, { recursive: true })
  }
})
