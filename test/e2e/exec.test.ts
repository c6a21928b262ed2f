// Programs as inputs and outputs of a real engine: ffmpeg, and scripts that behave as badly as they can.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { checkTs } from '../oracle/check-ts.js'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
const MIB = 1024 * 1024
const FFMPEG = 'ffmpeg, -nostdin, -hide_banner, -loglevel, error'
/** Reads the clip in real time, forever. */
const LIVE = `[${FFMPEG}, -re, -stream_loop, -1, -i, "${CLIP}", -c, copy, -f, mpegts, "-"]`

interface Nodes {
  readonly main: string
  /** Further outputs of pipeline `one`, as YAML. */
  readonly outputs?: readonly string[]
  /** A second pipeline, from a file. */
  readonly beside?: boolean
}

function yamlOf({ main, outputs = [], beside = false }: Nodes): string {
  const text = engineYaml(beside ? { two: { input: `path: "${CLIP}", loop: true` } } : {})
  return [
    text.trimEnd(),
    '  one:',
    `    inputs: { main: { type: exec, ${main} } }`,
    '    transforms: { gops: { type: gop, from: main } }',
    '    outputs:',
    // It is full at any speed: what is measured does not depend on how fast a program writes.
    '      out: { type: http-ts, from: gops, listener: web, path: /one/out.ts, window: { size: 8MiB } }',
    ...outputs.map((line) => `      ${line}`),
    '',
  ].join('\n')
}

function script(body: string): string {
  return `[sh, -c, ${JSON.stringify(body)}]`
}

/** A shell that ignores what it can, and has a child that does too. */
const STUBBORN = `trap '' TERM INT HUP; sh -c "trap '' TERM INT HUP; while :; do sleep 0.2; done" & while :; do sleep 0.2; done`

test('ffmpeg gives a stream, another ffmpeg takes it, and a viewer watches; nothing is left at the end', async () => {
  const copy = `copy: { type: exec, from: gops, command: [${FFMPEG}, -i, "-", -c, copy, -f, mpegts, copy.ts] }`
  const bytes = `bytes: { type: exec, from: gops, command: ${script('exec cat > bytes.ts')} }`
  await using engine = await startEngine({ yaml: yamlOf({ main: `command: ${LIVE}`, outputs: [copy, bytes] }) })
  await engine.ready()
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 800_000)
  const running = await until(async () => {
    const found = await descendants(engine)
    return found.length >= 4 && found
  }, 'three programs and the reaper')
  const { details } = await engine.node('one/main')
  assert.equal((details as { readonly program: string }).program, 'ffmpeg')
  const page = await scrape(engine.api)
  assert.equal(page.value('millrace_exec_starts_total', { node: 'main' }), 1)
  for (const name of ['bytes', 'copy'])
    await until(async () => (await engine.node(`one/${name}`)).sentBytes > 500_000, `${name} takes it`)
  await engine.stop()
  const { ts } = await viewer.done()
  assertJoin('viewer', assertClean('viewer', ts))
  const written = await readFile(join(engine.folder.path, 'bytes.ts'))
  assertJoin('the program', assertClean('the program', checkTs(written)))
  const copied = checkTs(await readFile(join(engine.folder.path, 'copy.ts')))
  // It does not begin with a PAT: ffmpeg writes an SDT first.
  assertClean('the copy', copied)
  assert.ok(copied.packets > 2000)
  assert.deepEqual(await alive(running), [])
})

test('pipelines/exec.yaml is a channel whose second program decodes it without complaint', async () => {
  await using engine = await startExample()
  await engine.ready()
  await using viewer = new HttpReader(await engine.url('one/ts'))
  await viewer.until(({ bodyBytes }) => bodyBytes > 800_000)
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  await until(async () => (await engine.node('one/decode')).sentBytes > 500_000, 'it is decoded')
  assert.doesNotMatch(engine.child.stderr, /one\/decode.*(error|corrupt)/i)
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('kill -9 of the engine leaves no child and no grandchild, whatever they ignore', async () => {
  const stubborn = `stubborn: { type: exec, from: gops, command: ${script(`cat > /dev/null & ${STUBBORN}`)} }`
  await using engine = await startEngine({ yaml: yamlOf({ main: `command: ${LIVE}`, outputs: [stubborn] }) })
  await engine.ready()
  await until(async () => (await descendants(engine)).length >= 5, 'ffmpeg, two shells and what they run, the reaper')
  const running = await descendants(engine)
  engine.child.signal('SIGKILL')
  await engine.child.exited
  await until(async () => (await alive(running)).length === 0, 'all of them are gone')
})

test('an edit of the command moves viewers to the new program, which is connected first', async () => {
  const yaml = yamlOf({ main: `command: ${LIVE}` })
  await using engine = await startEngine({ yaml })
  await engine.ready()
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 300_000)
  const [before] = [await pidOf(engine)]
  await engine.folder.write('pipeline.yaml', yamlOf({ main: 'command: [no-such-program, a]' }))
  await engine.child.untilStderr(/no-such-program is not in PATH/)
  await until(async () => (await pidOf(engine)) === before, 'the program that does not exist has changed nothing')
  await engine.folder.write('pipeline.yaml', yaml.replace('-c, copy', '-c, copy, -metadata, service_name=new'))
  await until(
    async () => (await pidOf(engine)) !== before && (await engine.node('one/main')).state === 'ready',
    'moved',
  )
  await until(async () => (await alive([before])).length === 0, 'the old program has ended')
  const { bodyBytes } = viewer.report()
  await viewer.until((report) => report.bodyBytes > bodyBytes + 300_000)
  const { ts, ended } = viewer.report()
  assert.equal(ended, 'open')
  assertClean('viewer', ts, { announced: true })
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('with exclusive, an edit ends the old program before the new one starts, and viewers stay', async () => {
  const ffmpeg = `ffmpeg -nostdin -loglevel error -re -stream_loop -1 -i "${CLIP}" -c copy -f mpegts - &`
  const alone = `mkdir lock || exit 9; ${ffmpeg} pid=$!; trap 'kill $pid; wait; rmdir lock; exit 0' TERM; wait`
  const yaml = yamlOf({ main: `command: ${script(alone)}, exclusive: card, env: { EDIT: "1" }` })
  await using engine = await startEngine({ yaml })
  await engine.ready()
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 300_000)
  const before = await pidOf(engine)
  await engine.folder.write('pipeline.yaml', yaml.replace('EDIT: "1"', 'EDIT: "2"'))
  await until(
    async () => (await pidOf(engine)) !== before && (await engine.node('one/main')).state === 'ready',
    'moved',
  )
  const { bodyBytes } = viewer.report()
  await viewer.until((report) => report.bodyBytes > bodyBytes + 300_000)
  assertClean('viewer', viewer.report().ts, { announced: true })
  const { restarts, details } = await engine.node('one/main')
  assert.deepEqual([restarts, (details as { readonly exits: number }).exits], [0, 0])
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('a program that ends at once is started again with growing pauses, and its message is shown', async () => {
  const main = `command: ${script('echo no camera >&2; exit 5')}`
  await using engine = await startEngine({ yaml: yamlOf({ main }) })
  const seen = await until(async () => {
    const node = await engine.node('one/main')
    return node.restarts >= 3 && node.state === 'waiting' && node
  }, 'it was started again')
  assert.equal(seen.why, 'sh exited with code 5: no camera')
  // Each pause is twice as long as the one before, and up to 30 % shorter than that.
  const pauses = await until(() => {
    const said = Array.from(engine.child.stderr.matchAll(/"retryInMs":(\d+)/g), ([, ms]) => Number(ms))
    return said.length >= 3 && said
  }, 'three pauses are told')
  for (const [index, least] of [350, 700, 1400].entries()) assert.ok(pauses[index]! >= least, pauses.join())
  await engine.stop()
})

test('a program that writes as fast as it can takes bounded memory, and costs viewers of others nothing', async () => {
  const loop = 'cat part.ts part.ts part.ts part.ts'
  const main = `command: ${script(`head -c 376000 "${CLIP}" > part.ts; while :; do ${loop}; done`)}, pausable: false`
  const outputs = ['deaf: { type: exec, from: gops, command: [sleep, "1000"] }']
  await using engine = await startEngine({ yaml: yamlOf({ main, outputs, beside: true }), hasMemoryProbe: true })
  await until(async () => (await engine.node('one/main')).receivedBytes > 200 * MIB, 'it writes', 300_000)
  await using viewer = new HttpReader(await engine.url('two/out'))
  await viewer.until(({ bodyBytes }) => bodyBytes > 100_000)
  const before = await engine.usedBytes()
  await viewer.until(({ bodyBytes }) => bodyBytes > 800_000)
  const after = await engine.usedBytes()
  assert.ok(after < 150 * MIB && after - before < 50 * MIB, `${before / MIB} MiB became ${after / MIB} MiB`)
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  const page = await scrape(engine.api)
  assert.equal(page.value('millrace_drops_total', { pipeline: 'two', node: 'out' }) ?? 0, 0)
  const { edges = [] } = (await engine.status()).pipelines.find(({ name }) => name === 'one') ?? {}
  const deaf = edges.find(({ to }) => to === 'one/deaf')
  assert.ok((deaf?.drops ?? 0) > 0 && (deaf?.queuedBytes ?? Infinity) < 9 * MIB, JSON.stringify(deaf))
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('a program that never reads its stdin, and one that ends early, cost viewers nothing', async () => {
  const outputs = [
    `deaf: { type: exec, from: gops, command: [sleep, "1000"] }`,
    `early: { type: exec, from: gops, command: ${script('head -c 1000 > /dev/null; exit 0')} }`,
  ]
  const main = `command: ${LIVE}, pausable: false`
  await using engine = await startEngine({ yaml: yamlOf({ main, outputs }) })
  await until(async () => (await engine.node('one/main')).state === 'ready', 'the input is ready')
  await using viewer = new HttpReader(await engine.url())
  await until(
    async () => (await engine.node('one/deaf')).details !== undefined && (await holdsOf(engine)),
    'the deaf program holds',
  )
  const { bodyBytes } = viewer.report()
  await viewer.until((report) => report.bodyBytes > bodyBytes + 500_000)
  assert.ok(await holdsOf(engine))
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  await until(async () => (await engine.node('one/early')).restarts >= 1, 'the one that ends early was started again')
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('doctor says which programs are missing, and who needs them', async () => {
  await using folder = await TempFolder.make()
  const outputs = ['push: { type: exec, from: gops, command: [./no-such-script.sh] }']
  await folder.write('pipeline.yaml', yamlOf({ main: 'command: [ffmpeg, -version]', outputs }))
  await using child = runCommandLine(['doctor', 'pipeline.yaml', '--json'], folder.path)
  assert.equal((await child.exited).code, 1, child.stderr)
  const findings = JSON.parse(child.stdout) as readonly { readonly check: string; level: string; found: string }[]
  const programs = findings.filter(({ check }) => check.startsWith('program '))
  assert.deepEqual(
    programs.map(({ check, level }) => [check, level]),
    [
      ['program ffmpeg', 'ok'],
      [`program ${folder.path}/no-such-script.sh`, 'fail'],
    ],
  )
  assert.match(programs[1]?.found ?? '', /does not exist, for one\/push/)
})

/** The example as it is, with the clip by its full path. */
async function startExample(): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const shipped = await readFile(join(REPOSITORY_ROOT, 'pipelines/exec.yaml'), 'utf8')
    const own = 'engine: { api: { address: "127.0.0.1:0" }, stateDir: state }'
    await folder.write('exec.yaml', `${shipped.replace('media/testcard.ts', CLIP)}\n${own}\n`)
    const child = runCommandLine(['run', 'exec.yaml'], folder.path, { EXEC_ADDRESS: '127.0.0.1:0' })
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

async function pidOf(engine: EngineProcess): Promise<number> {
  const { details } = await engine.node('one/main')
  return (details as { readonly pid: number }).pid
}

async function holdsOf(engine: EngineProcess): Promise<boolean> {
  const { details } = await engine.node('one/deaf')
  const { isHeld, pendingBytes } = details as { readonly isHeld: boolean; readonly pendingBytes: number }
  assert.ok(pendingBytes < 2 * MIB)
  return isHeld
}

/** All processes that the engine has started, in any depth. */
async function descendants(engine: EngineProcess): Promise<readonly number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const text = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '') : ''
    const [, parent] = /\) \S (\d+)/.exec(text) ?? []
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && parent > 1 && (parent === engine.child.pid || isBelow(parent))
  }
  return [...parents.keys()].filter((pid) => pid !== process.pid && isBelow(pid))
}

/** Those that run; zombies do not. */
async function alive(pids: readonly number[]): Promise<readonly number[]> {
  const states = await Promise.all(
    pids.map(async (pid) => /\) (\S)/.exec(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''))?.[1]),
  )
  return pids.filter((_, index) => states[index] !== undefined && !['Z', 'X'].includes(states[index] ?? ''))
}
