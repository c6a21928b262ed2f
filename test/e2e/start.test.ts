// `npm start`, the first command a new user types. Runs in a checkout of its own, made of links, in which only the
// ports of the example differ from the repository.
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { getJson, httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

test('npm start prints what is running and the URLs to open, plays, and ends completely on TERM', async () => {
  await using folder = await TempFolder.make()
  await linkCheckout(folder)
  await using npm = new Child('npm', ['start'], { cwd: folder.path, group: true })
  const [, url = ''] = await npm.untilStderr(/^ +live\/ts +(http:\S+\/live\.ts)$/m, 60_000)
  assert.doesNotMatch(npm.stderr, /packages installed/)
  await npm.untilStderr(/^ +live +card -> check -> gops -> ts, hls$/m)
  const [, playlist = ''] = await npm.untilStderr(/^ +live\/hls +(http:\S+\/live\/index\.m3u8)$/m)
  assert.match(npm.stderr, /-> ts, hls\n +live\/hls +http:\S+\/live\/\n/, 'the page is the first URL')
  const [, api = ''] = await npm.untilStderr(/(http:\S+)\/api\/v1\/status$/m)
  await npm.untilStderr(/^ +services\/metrics +http:\S+\/metrics$/m)
  await using viewer = new HttpReader(url)
  await viewer.until(({ bodyBytes }) => bodyBytes > 200_000)
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  assert.match((await httpRequest(playlist)).text, /^#EXTM3U\n/)
  const { pid } = await getJson<{ pid: number }>(`${api}/api/v1/status`)
  assert.ok((await groupOf(npm.pid)).includes(pid), 'the engine is in the group of npm')
  npm.signal('SIGTERM')
  assert.equal((await viewer.done()).ended, 'end')
  await until(async () => (await groupOf(npm.pid)).length === 0, 'processes are left')
  await npm.exited
  assert.match(npm.stderr, /stopped/)
})

/**
 * Links to everything, with copies of the scripts, which find the repository by their own location, and of the example.
 */
async function linkCheckout(folder: TempFolder): Promise<void> {
  const own = ['pipelines', 'scripts', '.git', '.millrace', 'package-lock.json']
  for (const name of await readdir(REPOSITORY_ROOT)) {
    if (!own.includes(name)) await symlink(join(REPOSITORY_ROOT, name), join(folder.path, name))
  }
  const copy = { recursive: true, preserveTimestamps: true }
  await cp(join(REPOSITORY_ROOT, 'scripts'), join(folder.path, 'scripts'), copy)
  await cp(join(REPOSITORY_ROOT, 'package-lock.json'), join(folder.path, 'package-lock.json'), copy)
  await mkdir(join(folder.path, 'pipelines'))
  await symlink(join(REPOSITORY_ROOT, 'pipelines/media'), join(folder.path, 'pipelines/media'))
  const yaml = await readFile(join(REPOSITORY_ROOT, 'pipelines/live.yaml'), 'utf8')
  const moved = yaml.replace("'127.0.0.1:8000'", "'127.0.0.1:0'")
  assert.notEqual(moved, yaml, 'pipelines/live.yaml has changed')
  await folder.write('pipelines/live.yaml', `${moved}\nengine: { api: { address: "127.0.0.1:0" } }\n`)
}

/** Live processes of a process group. */
async function groupOf(group: number): Promise<number[]> {
  const members: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    // After the name in parentheses: state, parent, process group.
    const [state, , pgrp] = line.slice(line.lastIndexOf(')') + 2).split(' ')
    if (Number(pgrp) === group && state !== 'Z') members.push(Number(name))
  }
  return members
}
