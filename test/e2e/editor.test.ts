// What an editor does with the schema that `engine schema` prints, through the language server used by VS Code and
// others: names are completed, mistakes are underlined, and a file that the engine accepts has none.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LanguageClient } from './kit/language-client.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'

let folder: TempFolder
let client: LanguageClient
let firstLine = ''

before(async () => {
  folder = await TempFolder.make()
  const child = runCommandLine(['schema', '--write', 'millrace.schema.json'], folder.path)
  assert.deepEqual(await child.exited, { code: 0, signal: null }, child.stderr)
  firstLine = child.stdout
  client = await LanguageClient.start()
})

after(async () => {
  await client[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** Opens the file with the line printed by the engine at the top; the file's own lines are numbered from 1. */
async function open(name: string, lines: readonly string[]): Promise<{ path: string; wrong: readonly string[] }> {
  const path = join(folder.path, name)
  const wrong = await client.open(path, firstLine + lines.join('\n'))
  return { path, wrong: wrong.map(({ line, message }) => `${line}: ${message}`) }
}

const node = (text: string): readonly string[] => [
  'version: 1',
  'pipelines:',
  '  one:',
  '    outputs:',
  '      ts:',
  text,
]

test('the line for the editor names the schema, relative to the folder', () => {
  assert.equal(firstLine, '# yaml-language-server: $schema=./millrace.schema.json\n')
})

test('the options of the given type are completed, and no others', async () => {
  const { path } = await open('options.yaml', [...node('        type: http-ts'), '        '])
  const labels = await client.complete(path, 7, 8)
  for (const name of ['path', 'listener', 'stallTimeout', 'clients', 'from', 'description']) {
    assert.ok(labels.includes(name), `${name} is not among ${labels.join(', ')}`)
  }
  for (const name of ['loop', 'pace', 'maxDuration']) assert.ok(!labels.includes(name), `${name} is of another type`)
})

test('types, choices and sections are completed', async () => {
  const types = await open('types.yaml', node('        type: '))
  assert.ok((await client.complete(types.path, 6, 14)).includes('http-ts'))
  assert.ok(!(await client.complete(types.path, 6, 14)).includes('gop'))
  const choices = await open('choices.yaml', [...node('        type: http-ts'), '        slow: '])
  assert.deepEqual((await client.complete(choices.path, 7, 14)).toSorted(), ['disconnect', 'skip'])
  const sections = await open('sections.yaml', ['version: 1', ''])
  const labels = await client.complete(sections.path, 2, 0)
  for (const name of ['engine', 'listeners', 'services', 'pipelines'])
    assert.ok(labels.includes(name), labels.join(', '))
})

test('hovering over an option shows its description', async () => {
  const { path } = await open('hover.yaml', [...node('        type: http-ts'), '        stallTimeout: 90s'])
  assert.match(await client.hover(path, 7, 12), /reads nothing for this long/)
})

const mistakes = [
  { name: 'an option that the type does not have', line: '        pth: /a', says: /7: .*pth is not allowed/ },
  { name: 'a wrong word', line: '        slow: wait', says: /7: .*"skip", "disconnect"/ },
  { name: 'a duration without its unit', line: '        stallTimeout: 90', says: /7: .*such as 500ms/ },
  { name: 'a text that is not a duration', line: '        stallTimeout: long', says: /7: .*such as 500ms/ },
]

for (const { name, line, says } of mistakes) {
  test(`${name} is underlined at its line`, async () => {
    const rest = ['        path: /a', '        from: main', '        listener: web']
    const { wrong } = await open(`${name.replaceAll(' ', '-')}.yaml`, [...node('        type: http-ts'), line, ...rest])
    assert.equal(wrong.length, 1, wrong.join('\n'))
    assert.match(wrong[0] ?? '', says)
  })
}

test('a missing option and an unknown type are underlined', async () => {
  const missing = await open('missing.yaml', [
    ...node('        type: http-ts'),
    '        from: main',
    '        listener: web',
  ])
  assert.match(missing.wrong.join('\n'), /Missing property "path"/)
  const unknown = await open('unknown.yaml', node('        type: htp-ts'))
  assert.match(unknown.wrong.join('\n'), /6: .*"http-ts"/)
})

test('files that the engine accepts have no mistakes: the shipped pipeline, and variables everywhere', async () => {
  const shipped = await readFile(join(REPOSITORY_ROOT, 'pipelines/live.yaml'), 'utf8')
  assert.deepEqual((await open('live.yaml', shipped.split('\n'))).wrong, [])
  const { wrong } = await open('variables.yaml', [
    'version: 1',
    'engine: { drain: "${DRAIN:-5s}", log: { level: "${LEVEL:-warn}" }, maxClients: "${MAX:-10}" }',
    'listeners: { web: { address: "${WEB:-127.0.0.1:0}" } }',
    'pipelines:',
    '  one:',
    '    inputs: { main: { type: file, path: "${CLIP:-a.ts}", loop: "${LOOP:-true}", pace: "${PACE:-none}" } }',
    '    outputs:',
    '      ts: { type: http-ts, from: main, listener: web, path: "${P:-/a}", window: { size: "${S:-4MiB}" } }',
    '',
  ])
  assert.deepEqual(wrong, [])
})
