import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { countDescriptors, settledDescriptors } from '../listen/loopback.test.kit.js'
import { createClock } from '../observe/clock.js'
import { FakeClock } from '../testing/fake-clock.js'
import { SourceSnapshot } from './source-snapshot.js'
import { TempFiles, until } from './supervised.test.kit.js'
import { type FileWatch, watchFiles } from './watch-files.js'

interface Watched extends AsyncDisposable {
  readonly files: TempFiles
  readonly watch: FileWatch
  /** How many times a change was found. */
  changes(): number
  /** Resolves when the contents that the files have now have been found. */
  found(): Promise<void>
}

/** Watches these names; what it finds is known from then on, as after a reading. */
async function watched(names: readonly string[], prepare: (files: TempFiles) => Promise<unknown>): Promise<Watched> {
  const files = await TempFiles.make()
  await prepare(files)
  const clock = createClock()
  const paths = names.map((name) => files.path(name))
  let known = (await SourceSnapshot.take(paths)).hashOf(paths)
  let changes = 0
  const read = async (): Promise<void> => {
    const now = (await SourceSnapshot.take(paths)).hashOf(paths)
    if (now !== known) changes += 1
    known = now
  }
  const watch = watchFiles({ clock, paths: () => paths, knownHash: () => known, onChange: () => void read() })
  await watch.check()
  return {
    files,
    watch,
    changes: () => changes,
    async found() {
      const now = (await SourceSnapshot.take(paths)).hashOf(paths)
      await until(() => known === now, 'what the files contain is found')
    },
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]()
      clock[Symbol.dispose]()
      await files[Symbol.asyncDispose]()
    },
  }
}

const live = (files: TempFiles): Promise<void> => files.write('live.yaml', 'a')

const edits: readonly { readonly name: string; edit(files: TempFiles): Promise<unknown> }[] = [
  { name: 'a file that is written in place', edit: (files) => files.write('live.yaml', 'b') },
  {
    name: 'a file that another one is renamed over, as editors do',
    async edit(files) {
      await files.write('.live.yaml.swp', 'b')
      await rename(files.path('.live.yaml.swp'), files.path('live.yaml'))
    },
  },
  {
    name: 'a file that is moved away and written again, as vim does',
    async edit(files) {
      await rename(files.path('live.yaml'), files.path('live.yaml~'))
      await files.write('live.yaml', 'b')
    },
  },
  { name: 'a file that is deleted', edit: (files) => rm(files.path('live.yaml')) },
  {
    name: 'a file that becomes a folder',
    async edit(files) {
      await rm(files.path('live.yaml'))
      await mkdir(files.path('live.yaml'))
    },
  },
]

for (const { name, edit } of edits) {
  test(`${name} is noticed`, async () => {
    await using setting = await watched(['live.yaml'], live)
    await edit(setting.files)
    await setting.found()
    assert.ok(setting.changes() > 0)
  })
}

test('a deleted file is noticed when it exists again', async () => {
  await using setting = await watched(['live.yaml'], live)
  await rm(setting.files.path('live.yaml'))
  await setting.found()
  await live(setting.files)
  await setting.found()
})

test('the swap of ..data, as Kubernetes mounts a ConfigMap, is noticed every time', async () => {
  await using setting = await watched(['live.yaml'], async (files) => {
    await mkdir(files.path('..1'))
    await files.write('..1/live.yaml', '1')
    await symlink('..1', files.path('..data'))
    await symlink('..data/live.yaml', files.path('live.yaml'))
  })
  for (const version of [2, 3, 4]) {
    await mkdir(setting.files.path(`..${version}`))
    await setting.files.write(`..${version}/live.yaml`, String(version))
    await symlink(`..${version}`, setting.files.path('..data_tmp'))
    await rename(setting.files.path('..data_tmp'), setting.files.path('..data'))
    await rm(setting.files.path(`..${version - 1}`), { recursive: true })
    await setting.found()
  }
})

test('a link to a file elsewhere is followed, and so is a new target', async () => {
  await using setting = await watched(['live.yaml'], async (files) => {
    await mkdir(files.path('a'))
    await files.write('a/one.yaml', '1')
    await files.write('a/two.yaml', '2')
    await symlink('a/one.yaml', files.path('live.yaml'))
  })
  await setting.files.write('a/one.yaml', 'other')
  await setting.found()
  await rm(setting.files.path('live.yaml'))
  await symlink('a/two.yaml', setting.files.path('live.yaml'))
  await setting.found()
})

test('a folder that is removed and created again is watched again', async () => {
  await using setting = await watched(['sub/live.yaml'], async (files) => {
    await mkdir(files.path('sub'))
    await files.write('sub/live.yaml', '1')
  })
  await rm(setting.files.path('sub'), { recursive: true })
  await setting.found()
  await mkdir(setting.files.path('sub'))
  await setting.files.write('sub/live.yaml', '2')
  await setting.found()
})

test('a new file in a folder that is a source is noticed', async () => {
  await using setting = await watched(['channels'], (files) => mkdir(files.path('channels')))
  await setting.files.write('channels/one.yaml', '1')
  await setting.found()
})

test('the second of two quick saves is not lost', async () => {
  await using setting = await watched(['live.yaml'], live)
  for (let save = 1; save <= 10; save++) {
    await setting.files.write('live.yaml', `first ${save}`)
    await setting.found()
    await setting.files.write('live.yaml', `second ${save}`)
    await setting.found()
  }
})

test('other files of the folder, and the same contents again, are no change', async () => {
  await using setting = await watched(['live.yaml'], live)
  await setting.files.write('recording.ts', 'x')
  await live(setting.files)
  await setting.watch.check()
  assert.equal(setting.changes(), 0)
})

test('1000 edits leave no watch and no descriptor behind', async () => {
  const before = await settledDescriptors()
  {
    await using setting = await watched(['live.yaml', 'b.yaml'], live)
    for (let edit = 0; edit < 1000; edit++) {
      await writeFile(setting.files.path('next'), String(edit))
      await rename(setting.files.path('next'), setting.files.path('live.yaml'))
      if (edit % 100 === 0) await setting.watch.check()
    }
    await setting.found()
    assert.equal(setting.watch.folders, 1)
  }
  await until(() => !process.getActiveResourcesInfo().includes('FSEventWrap'), 'no watch is left')
  // A reading that had begun before the end closes its files.
  await until(() => countDescriptors() <= before, 'no descriptor is left open')
})

test('without events the slow poll finds the change', async () => {
  await using files = await TempFiles.make()
  await live(files)
  const clock = new FakeClock()
  const paths = [files.path('live.yaml')]
  const known = (await SourceSnapshot.take(paths)).hashOf(paths)
  let changes = 0
  const watch = watchFiles({
    clock,
    paths: () => paths,
    knownHash: () => known,
    onChange: () => void (changes += 1),
    events: false,
  })
  await watch.check()
  assert.deepEqual([watch.folders, changes], [0, 0])
  await files.write('live.yaml', 'b')
  await until(() => {
    clock.advance(100)
    return changes > 0
  })
  watch[Symbol.dispose]()
  assert.equal(clock.pending, 0)
})
