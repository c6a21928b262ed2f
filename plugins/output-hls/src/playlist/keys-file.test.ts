import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Keys } from './keys.js'
import { KeysFile } from './keys-file.js'

class Files {
  readonly written: string[] = []
  readonly warned: string[] = []
  fails = false

  constructor(content?: string) {
    if (content !== undefined) this.written.push(content)
  }

  readonly log = { warn: (...args: unknown[]) => void this.warned.push(String(args.at(-1))) } as never

  async read(): Promise<Uint8Array | undefined> {
    if (this.fails) throw new Error('EIO')
    const content = this.written.at(-1)
    return content === undefined ? undefined : new TextEncoder().encode(content)
  }

  async write(_: string, bytes: Uint8Array): Promise<void> {
    if (this.fails) throw new Error('ENOSPC')
    this.written.push(new TextDecoder().decode(bytes))
  }
}

test('keys are written, and read again', async () => {
  const files = new Files()
  const file = await KeysFile.open(files, files.log)
  const keys = new Keys(file.saved, (saved) => void file.save(saved))
  const { id } = keys.next(0)
  const again = new Keys((await KeysFile.open(files, files.log)).saved, () => undefined)
  assert.deepEqual(again.aes(id), keys.aes(id))
  assert.deepEqual(files.warned, [])
})

test('a damaged file is told, and replaced', async () => {
  const files = new Files('{"secret":')
  const file = await KeysFile.open(files, files.log)
  new Keys(file.saved, (saved) => void file.save(saved)).next(0)
  assert.equal(files.written.length, 2)
  assert.match(files.warned.join(), /damaged/)
})

test('a file that cannot be read is not overwritten: archives may need the keys in it', async () => {
  const files = new Files('content')
  files.fails = true
  const file = await KeysFile.open(files, files.log)
  files.fails = false
  new Keys(file.saved, (saved) => void file.save(saved)).next(0)
  assert.deepEqual(files.written, ['content'])
  assert.match(files.warned.join(), /cannot be read/)
})

test('a full disk is told, and keys go on', async () => {
  const files = new Files()
  const file = await KeysFile.open(files, files.log)
  files.fails = true
  await file.save({ secret: '', ids: [] })
  assert.match(files.warned.join(), /cannot be saved/)
})

test('a node that keeps no files has keys of its own', async () => {
  const file = await KeysFile.open(undefined, new Files().log)
  assert.equal(file.saved, undefined)
  await file.save({ secret: '', ids: [] })
})
