import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { test } from 'node:test'
import { examplePlugins, loadFiles, pipelineWith } from '../example-config.test.js'
import { matches } from './find-matches.js'
import { loadConfig } from '../load-config.js'

const channel = (name: string, path = `${name}.ts`): string =>
  `pipelines:\n  ${name}:\n    inputs: { main: { type: file, path: ${path} } }\n`

test('included files are merged in the order in which they are named, those of a pattern by name', async () => {
  const files = {
    'live.yaml': pipelineWith({ top: 'include: [channels/*.yaml, last.yaml]' }),
    'channels/b.yaml': channel('b'),
    'channels/a.yaml': channel('a'),
    'channels/.a.yaml.swp': '{',
    'channels/notes.txt': '{',
    'channels/folder.yaml/x': '{',
    'last.yaml': `version: 1\n${channel('last')}`,
  }
  const { graph, diagnostics, folder } = await loadFiles(files, ['live.yaml'])
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    graph?.pipelines.map(({ name }) => name),
    ['one', 'a', 'b', 'last'],
  )
  const short = graph.files.map((file) => relative(folder, file))
  assert.deepEqual(short, ['live.yaml', 'channels/a.yaml', 'channels/b.yaml', 'last.yaml'])
})

test('paths in an included file are relative to that file', async () => {
  const files = {
    'live.yaml': pipelineWith({ top: 'include: [channels/a.yaml]' }),
    'channels/a.yaml': channel('a', 'media/x.ts'),
  }
  const { graph, folder } = await loadFiles(files, ['live.yaml'])
  const options = graph?.pipelines[1]?.nodes[0]?.options as { readonly path: string }
  assert.equal(options.path, join(folder, 'channels/media/x.ts'))
})

test('a file that is reached in several ways is read once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-include-'))
  try {
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'live.yaml'), pipelineWith({ top: 'include: [sub/a.yaml, sub/../shared.yaml]' }))
    await writeFile(join(folder, 'sub/a.yaml'), 'include: [../shared.yaml, ../linked.yaml]\n')
    await writeFile(join(folder, 'shared.yaml'), channel('shared'))
    await symlink('shared.yaml', join(folder, 'linked.yaml'))
    const files = [join(folder, 'live.yaml'), join(folder, 'sub/../live.yaml'), join(folder, 'shared.yaml')]
    const { graph, diagnostics } = await loadConfig(files, { env: {}, plugins: examplePlugins })
    assert.deepEqual(diagnostics, [])
    assert.equal(graph?.pipelines.length, 2)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the same id in two included files is reported at the second', async () => {
  const files = {
    'live.yaml': pipelineWith({ top: 'include: ["c*.yaml"]' }),
    'c1.yaml': channel('a'),
    'c2.yaml': `engine: {}\n${channel('a')}`,
    'c3.yaml': 'engine: {}\n',
  }
  const { diagnostics } = await loadFiles(files, ['live.yaml'])
  const found = diagnostics.map(({ code, file, line }) => `${code} ${basename(file)}:${line}`)
  assert.deepEqual(found, ['CONFIG_DUPLICATE_ID c2.yaml:3', 'CONFIG_DUPLICATE_SECTION c3.yaml:1'])
})

test('includes that are nested too deeply, or too many files, are refused', async () => {
  const deep = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`f${index}`, `include: [f${index + 1}]\n`]))
  const one = await loadFiles({ ...deep, f12: '', live: pipelineWith({ top: 'include: [f0]' }) }, ['live'])
  assert.deepEqual(
    one.diagnostics.map(({ code, file }) => `${code} ${basename(file)}`),
    ['CONFIG_INCLUDE f6'],
  )
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`c${index}`, '']))
  const { diagnostics } = await loadFiles({ ...many, live: pipelineWith({ top: 'include: ["c*"]' }) }, ['live'])
  assert.deepEqual(
    diagnostics.map(({ code, file }) => `${code} ${basename(file)}`),
    ['CONFIG_INCLUDE live'],
  )
})

test('an include path can contain a variable, but not a secret', async () => {
  const top = 'include: ["${WHERE}/a.yaml"]'
  const files = { live: pipelineWith({ top }), 'x/a.yaml': channel('a') }
  const good = await loadFiles(files, ['live'], { env: { WHERE: 'x' } })
  assert.equal(good.graph?.pipelines.length, 2)
  const unset = await loadFiles(files, ['live'])
  assert.deepEqual(
    unset.diagnostics.map(({ code }) => code),
    ['CONFIG_UNSET_VARIABLE'],
  )
  const secret = { live: pipelineWith({ top: 'secrets: { s: { env: S } }\ninclude: ["${secret:s}"]' }) }
  const { diagnostics } = await loadFiles(secret, ['live'], { env: { S: 'channels' } })
  assert.deepEqual(
    diagnostics.map(({ code, line }) => `${code} ${line}`),
    ['CONFIG_INCLUDE 4'],
  )
})

test('the sources are everything that a result depends on, even if loading fails', async () => {
  const top = [
    'include: [gone.yaml, "channels/*.yaml", "nowhere/*"]',
    'secrets: { s: { file: secret.txt } }',
    'engine: { stateDir: "${secret:s}" }',
  ].join('\n')
  const files = {
    live: pipelineWith({ top }),
    'channels/a.yaml': channel('a'),
    'secret.txt': 'hunter2',
    vars: 'A=1\n',
    broken: '{',
  }
  const expected = [
    'vars',
    'live',
    'gone.yaml',
    'channels',
    'channels/a.yaml',
    'nowhere',
    'broken',
    'lost',
    'secret.txt',
  ]
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sources-'))
  try {
    await mkdir(join(folder, 'channels'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const options = { env: {}, envFiles: [join(folder, 'vars')], plugins: examplePlugins }
    const names = ['live', 'broken', 'lost'].map((name) => join(folder, name))
    const { graph, sources } = await loadConfig(names, options)
    assert.equal(graph, undefined)
    assert.deepEqual(
      sources.map((source) => relative(folder, source)),
      expected,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('files that are too much together are not read to the end, and reported once', async () => {
  const large = `# ${'-'.repeat(60_000)}\n`.repeat(17)
  const names = Array.from({ length: 20 }, (_, index) => `channels/${String(index).padStart(2, '0')}.yaml`)
  const files = {
    'live.yaml': pipelineWith({ top: 'include: ["channels/*.yaml"]' }),
    ...Object.fromEntries(names.map((name) => [name, large])),
  }
  const { diagnostics, sources, folder } = await loadFiles(files, ['live.yaml'])
  assert.deepEqual(
    diagnostics.map(({ code, line }) => `${code} ${line}`),
    ['CONFIG_INCLUDE 3'],
  )
  assert.match(diagnostics[0]?.message ?? '', /more than 16777216 characters together/)
  assert.ok(sources.includes(join(folder, names[16]!)))
})

test('an alias among the paths is reported', async () => {
  const files = { live: pipelineWith({ top: 'plugins: &a []\ninclude: [*a ]' }) }
  const { diagnostics } = await loadFiles(files)
  assert.ok(diagnostics.some(({ code, line }) => code === 'CONFIG_INCLUDE' && line === 4))
})

test('a * matches any characters of a name, but no hidden file', () => {
  const rows: readonly (readonly [pattern: string, name: string, expected: boolean])[] = [
    ['*.yaml', 'a.yaml', true],
    ['*.yaml', '.a.yaml', false],
    ['.*', '.a', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*a*b*', 'xaxbx', true],
    ['*a*b*', 'xbxax', false],
    ['a*b*c', 'abcbc', true],
    ['ab*ba', 'aba', false],
    ['a?c', 'abc', false],
    [`${'*a'.repeat(60)}*b`, 'a'.repeat(255), false],
  ]
  for (const [pattern, name, expected] of rows) assert.equal(matches(name, pattern), expected, `${pattern} ${name}`)
})
