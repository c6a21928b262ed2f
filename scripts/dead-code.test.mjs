// Tests of the dead code check: knip runs with our configuration over a small repository with the same layout, and must
// report exactly what is dead there.
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ROOT, readJson } from './repository.mjs'
import { runCommand } from './run-command.mjs'

const KNIP = join(ROOT, 'node_modules/.bin/knip')

/** Path -> text. */
const SOURCES = {
  'media/src/mpegts/index.ts': `
    export { publicValue } from './packet.js'
    import 'no-such-package'`,
  'media/src/mpegts/packet.ts': `
    export const publicValue = 1
    export const testedValue = 2
    export const deadValue = 3
    export const localValue = 4
    export const localSum = localValue + 1
    export type DeadType = string
    export interface DeadInterface { readonly size: number }`,
  'media/src/mpegts/packet.test.ts': `
    import { localSum, testedValue } from './packet.js'
    import { kitValue } from './packet.test.kit.js'
    import { onlyTested } from './only-tested.js'
    new URL('./started.test.kit.js', import.meta.url)
    console.log(localSum, testedValue, kitValue, onlyTested)`,
  'media/src/mpegts/packet.test.kit.ts': `
    export const kitValue = 1
    export const deadKitValue = 2`,
  'media/src/mpegts/started.test.kit.ts': `console.log('a process of its own')`,
  'media/src/mpegts/only-tested.ts': `export const onlyTested = 1`,
  'media/src/mpegts/dead-file.ts': `export const value = 1`,
  'media/src/mpegts/dead.test.kit.ts': `export const value = 1`,
  'test/e2e/relay.test.ts': `export const deadTestValue = 1`,
  'test/e2e/kit/dead-kit.ts': `export const value = 1`,
  'scripts/check.mjs': `import './used-script.mjs'`,
  'scripts/used-script.mjs': `console.log('used')`,
  'scripts/dead-script.mjs': `console.log('dead')`,
}

const DEAD = [
  'dependencies: left-pad in media/package.json',
  'exports: deadKitValue in media/src/mpegts/packet.test.kit.ts',
  'exports: deadTestValue in test/e2e/relay.test.ts',
  'exports: deadValue in media/src/mpegts/packet.ts',
  'exports: localValue in media/src/mpegts/packet.ts',
  'files: media/src/mpegts/dead-file.ts',
  'files: media/src/mpegts/dead.test.kit.ts',
  'files: scripts/dead-script.mjs',
  'files: test/e2e/kit/dead-kit.ts',
  'types: DeadInterface in media/src/mpegts/packet.ts',
  'types: DeadType in media/src/mpegts/packet.ts',
  'unlisted: no-such-package in media/src/mpegts/index.ts',
]

const NOT_IN_PRODUCT = [
  'files: media/src/mpegts/dead-file.ts',
  'files: media/src/mpegts/only-tested.ts',
  'files: scripts/dead-script.mjs',
]

describe('the dead code check', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-dead-code-'))
    await layOut(folder)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('reports files, exports, types and dependencies that nothing uses, and imports that no package.json names', async () => {
    assert.deepEqual(await findDead(folder), DEAD)
  })

  it('reports product files that only tests reach, and leaves test kits alone', async () => {
    assert.deepEqual(await findDead(folder, '--production', '--include=files'), NOT_IN_PRODUCT)
  })
})

async function layOut(folder) {
  const { type, workspaces } = readJson('package.json')
  const media = { ...readJson('media/package.json'), dependencies: { 'left-pad': '1.0.0' } }
  const files = {
    ...SOURCES,
    'package.json': JSON.stringify({ name: 'scratch', private: true, type, workspaces }),
    'media/package.json': JSON.stringify(media),
    'test/package.json': JSON.stringify({ name: 'scratch-test', private: true, type }),
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `${text}\n`)
  }
  for (const path of ['knip.jsonc', 'tsconfig.base.json', 'media/tsconfig.json', 'test/tsconfig.json']) {
    await copyFile(join(ROOT, path), join(folder, path))
  }
}

/** Resolves to `kind: name in file`, sorted. */
async function findDead(folder, ...flags) {
  const { code, output } = await runCommand([KNIP, '--no-progress', '--reporter=json', ...flags], { cwd: folder })
  assert.equal(code, 1, output)
  const { issues } = JSON.parse(output)
  return issues.flatMap(readIssue).sort()
}

function readIssue({ file, ...kinds }) {
  return Object.entries(kinds).flatMap(([kind, found]) =>
    found.map(({ name }) => (kind === 'files' ? `files: ${file}` : `${kind}: ${name} in ${file}`)),
  )
}
