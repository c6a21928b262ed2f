// Auth providers of plugins: the example of docs/access.md as a user runs it, and one whose code is bad.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { type EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')

/** A module outside of the repository finds the engine's packages by their paths. */
function withPaths(source: string): string {
  return source.replace(
    /from '(@millrace\/engine\/plugin|zod)'/g,
    (_, name: string) => `from '${import.meta.resolve(name)}'`,
  )
}

function yamlWith(auth: string): string {
  const input = `path: ${CLIP}, loop: true`
  const yaml = engineYaml({ one: { input, outputs: { guarded: 'auth: ours' } }, two: { input } })
  return yaml.replace('pipelines:', `plugins: ["./ours.js"]\nauth: { ours: ${auth} }\npipelines:`)
}

async function start(source: string, auth: string): Promise<EngineProcess> {
  const engine = await startEngine({ yaml: yamlWith(auth), files: { 'ours.js': withPaths(source) } })
  await engine.ready()
  return engine
}

async function statusOf(url: string): Promise<number> {
  return (await httpRequest(url, { method: 'HEAD' })).status
}

test('the example of the documentation decides, is described, and follows a reload', async () => {
  const page = await readFile(join(REPOSITORY_ROOT, 'docs/access.md'), 'utf8')
  const source = /```js\n([^]*?)```/.exec(page)?.[1] ?? ''
  await using engine = await start(source, '{ type: opening-hours, from: 0, to: 24 }')
  const url = await engine.url('one/guarded')
  assert.equal(await statusOf(url), 200)
  await engine.folder.write('pipeline.yaml', yamlWith('{ type: opening-hours, from: 0, to: 0 }'))
  await until(async () => (await statusOf(url)) === 403, 'it has closed')
  for (const [args, wanted] of [
    [['inspect', 'auth/opening-hours', '--file', 'pipeline.yaml'], /from {2}.*at most 24.*required.*reload: live/],
    [['config', 'pipeline.yaml'], /type: opening-hours\n/],
    [['schema', '--file', 'pipeline.yaml'], /"opening-hours"/],
  ] as const) {
    await using verb = runCommandLine(args, engine.folder.path)
    assert.equal((await verb.exited).code, 0, verb.stderr)
    assert.match(verb.stdout, wanted)
  }
  await engine.folder.write('bad.yaml', yamlWith('{ type: opening-hour, from: 25 }'))
  await engine.folder.write('worse.yaml', yamlWith('{ type: opening-hours, from: 25, until: 3 }'))
  await using bad = runCommandLine(['check', 'bad.yaml'], engine.folder.path)
  assert.equal((await bad.exited).code, 78)
  assert.match(bad.stderr + bad.stdout, /there is no auth type "opening-hour"[^]*did you mean "opening-hours"/)
  await using worse = runCommandLine(['check', 'worse.yaml'], engine.folder.path)
  assert.equal((await worse.exited).code, 78)
  assert.match(worse.stderr + worse.stdout, /CONFIG_UNKNOWN_KEY[^]*until/)
  await engine.stop()
})

const BAD = `
import { defineAuth } from '@millrace/engine/plugin'
import { z } from 'zod'
let opened = 0
export default defineAuth({
  type: 'bad', summary: 'Bad.', options: z.strictObject({}), examples: [],
  open: () => {
    const life = ++opened
    return {
      check: ({ path, query }) => {
        if (query === 'throw') throw new Error('in a check')
        if (query === 'late') setTimeout(() => { throw new Error('in a timer of Node') })
        if (query === 'hang') return new Promise(() => undefined)
        return { allowed: true, user: 'life-' + life }
      },
      async [Symbol.asyncDispose]() { throw new Error('while it ends') },
    }
  },
})
`

test('code that throws, hangs or throws later refuses its clients, and costs no viewer', async () => {
  await using engine = await start(BAD, '{ type: bad }')
  const [url, other] = [await engine.url('one/guarded'), await engine.url('two/out')]
  await using admitted = new HttpReader(url)
  await using viewer = new HttpReader(other)
  await Promise.all([admitted, viewer].map((reader) => reader.until(({ bodyBytes }) => bodyBytes > 0)))
  assert.equal(await statusOf(`${url}?throw`), 503)
  assert.equal(await statusOf(`${url}?hang`), 503)
  assert.equal(await statusOf(`${url}?late`), 200)
  await until(() => engine.child.stderr.includes('in a timer of Node'), 'it has thrown')
  await until(async () => (await statusOf(url)) === 200, 'it is opened again')
  const before = [admitted, viewer].map((reader) => reader.report().bodyBytes)
  await admitted.until(({ bodyBytes }) => bodyBytes > (before[0] ?? 0) + 200_000)
  await viewer.until(({ bodyBytes }) => bodyBytes > (before[1] ?? 0) + 200_000)
  assertClean('a viewer it has admitted', admitted.report().ts)
  assertClean('a viewer of another output', viewer.report().ts)
  await engine.stop()
})
