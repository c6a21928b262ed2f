import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { isEngineError } from '../errors.js'
import { openStateDir } from './state-dir.js'

let folder: string
let dir: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-state-'))
  dir = join(folder, 'deep', 'state')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function codeOfOpening(): Promise<string> {
  const outcome = await openStateDir(dir).then(
    async (state) => {
      await state[Symbol.asyncDispose]()
      return 'opened'
    },
    (error: unknown) => error,
  )
  return isEngineError(outcome) ? outcome.code : String(outcome)
}

test('the first start creates a folder and a token for this user only, later starts read it', async () => {
  const first = await openStateDir(dir)
  assert.match(first.token, /^[A-Za-z0-9_-]{43}$/)
  assert.equal((await stat(dir)).mode & 0o777, 0o700)
  assert.equal((await stat(join(dir, 'api.token'))).mode & 0o777, 0o600)
  await first[Symbol.asyncDispose]()
  const second = await openStateDir(dir)
  assert.equal(second.token, first.token)
  await second[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
  assert.deepEqual((await readdir(dir)).toSorted(), ['api.token', 'lock'])
  assert.deepEqual(await readdir(join(dir, 'lock')), [])
})

test('a second engine is refused while the first one is alive, in the same process too', async () => {
  const first = await openStateDir(dir)
  assert.equal(await codeOfOpening(), 'STATE_LOCKED')
  await first[Symbol.asyncDispose]()
  assert.equal(await codeOfOpening(), 'opened')
})

test('a token that others can read, a link and a file without a token are refused, and the lock is released', async () => {
  await mkdir(dir, { recursive: true })
  const path = join(dir, 'api.token')
  await writeFile(path, 'a-token-of-somebody-0123456789')
  await chmod(path, 0o644)
  assert.equal(await codeOfOpening(), 'STATE_TOKEN_EXPOSED')
  await chmod(path, 0o660)
  assert.equal(await codeOfOpening(), 'opened')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await writeFile(path, 'short')
  assert.equal(await codeOfOpening(), 'STATE_TOKEN_INVALID')
  await rm(path)
  await symlink(join(folder, 'elsewhere'), path)
  assert.equal(await codeOfOpening(), 'STATE_UNUSABLE')
  await rm(path)
  assert.equal(await codeOfOpening(), 'opened')
  assert.match(await readFile(path, 'utf8'), /^[\w-]{43}\n$/)
})

test('a folder that cannot be created is an error', async () => {
  await writeFile(join(folder, 'deep'), 'a file')
  assert.equal(await codeOfOpening(), 'STATE_UNUSABLE')
})

test('a folder that cannot be created in an existing one is an error, and is not retried forever', async () => {
  await assert.rejects(
    openStateDir('/proc/nope/deeper'),
    (error) => isEngineError(error) && error.code === 'STATE_UNUSABLE',
  )
})
