// Films as inputs of a real engine, by path and through stdin; pictures of what it plays.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { engineYaml } from './kit/engine-yaml.js'
import { httpRequest } from './kit/http-request.js'
import type { HttpResponse } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { ENGINE_BIN, EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const run = promisify(execFile)
const EXAMPLE = join(REPOSITORY_ROOT, 'pipelines/film-channel.yaml')
const ENGINE = `'${process.execPath}' '${ENGINE_BIN}' run pipeline.yaml`
const MOST_ASKS = 10

describe('a film', () => {
  let films: TempFolder
  let film: string

  before(async () => {
    films = await TempFolder.make()
    film = join(films.path, 'film.mkv')
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440']
    const codecs = ['-t', '3', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '12', '-c:a', 'aac']
    await run('ffmpeg', ['-v', 'error', '-nostdin', ...source, ...codecs, film])
  })
  after(() => films[Symbol.asyncDispose]())

  test('is a channel, over and over: viewers get one clean stream, and stay when ffmpeg is killed', async () => {
    const text = await readFile(EXAMPLE, 'utf8')
    const yaml = text
      .replace('${FILM_ADDRESS:-127.0.0.1:8000}', '127.0.0.1:0')
      .replace('${FILM:-media/testcard.ts}', film)
      .replace('version: 1', 'version: 1\nengine: { api: { address: "127.0.0.1:0" }, stateDir: state }')
    await using engine = await startEngine({ yaml })
    await engine.ready()
    const url = await engine.url('film/ts')
    await using viewer = new HttpReader(url)
    await viewer.until(({ bodyBytes }) => bodyBytes > 20_000)
    const { details } = await engine.node('film/main')
    const { pid } = details as { readonly pid: number }
    process.kill(pid, 'SIGKILL')
    await until(async () => {
      const now = (await engine.node('film/main')).details as { readonly starts: number }
      return now.starts === 2
    }, 'it is started again')
    const before = viewer.report().bodyBytes
    await viewer.until(({ bodyBytes }) => bodyBytes > before + 20_000)
    const report = viewer.report()
    assert.equal(report.ended, 'open')
    assertJoin('viewer', assertClean('viewer', report.ts, { announced: true }))
    await assertPicture(engine)
    await engine.stop()
  })

  test('that is piped into the engine is played to its end', async () => {
    const yaml = engineYaml({ one: { input: 'path: "-"' } }).replace('type: file, path: "-"', 'type: ffmpeg, url: "-"')
    await using folder = await TempFolder.make()
    await folder.write('pipeline.yaml', yaml)
    await run('mkfifo', [join(folder.path, 'go')])
    await using child = shell(`{ read _ < go; cat '${film}'; } | ${ENGINE}`, folder.path)
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    const engine = new EngineProcess(folder, child, api)
    await using viewer = new HttpReader(await engine.url())
    await until(async () => (await engine.node('one/out')).clients === 1, 'the viewer is waiting')
    await appendFile(join(folder.path, 'go'), '\n')
    const { ended, ts } = await viewer.done()
    assert.equal(ended, 'end')
    assertJoin('viewer', assertClean('viewer', ts))
    assert.deepEqual(await child.exited, { code: 0, signal: null }, child.stderr)
  })

  test('given to the input file through stdin is refused, and the hint names the input that opens it', async () => {
    await using folder = await TempFolder.make()
    await folder.write('pipeline.yaml', engineYaml({ one: { input: 'path: "-"' } }))
    await using child = shell(`cat '${film}' | ${ENGINE}`, folder.path)
    await child.untilStderr(/FILE_OTHER_FORMAT/)
    assert.match(child.stderr, /stdin is Matroska or WebM, not a transport stream/)
    child.signal('SIGTERM')
    await child.exited
  })
})

test('without ffmpeg, check refuses the graphs that need it, and says how it is installed', async () => {
  await using folder = await TempFolder.make()
  await folder.write('other.yaml', engineYaml({ one: { input: 'path: other.yaml' } }))
  await folder.write('film.yaml', await readFile(EXAMPLE, 'utf8'))
  const env = { PATH: '/nowhere', NODE_OPTIONS: '' }
  const node = (file: string): Child =>
    new Child(process.execPath, [ENGINE_BIN, 'check', file], { cwd: folder.path, env })
  await using other = node('other.yaml')
  assert.equal((await other.exited).code, 0, other.stderr)
  await using refused = node('film.yaml')
  assert.equal((await refused.exited).code, 78, refused.stderr)
  assert.match(refused.stderr, /CONFIG_MISSING_PROGRAM.*input "main" needs ffmpeg/)
  assert.match(refused.stderr, /apt-get install ffmpeg/)
})

test('check says what to write for what FFmpeg opens, and which filter a build lacks', async () => {
  await using folder = await TempFolder.make()
  const asInput = (from: string): string =>
    engineYaml({ one: { input: 'path: "-"' } }).replace('type: file, path: "-"', from)
  const rows = [
    {
      from: 'type: file, path: "-", format: auto',
      says: /help: .*`\{ type: ffmpeg, url: "-", format: auto \}` for stdin/,
    },
    { from: 'type: ffmpeg, path: "-", format: auto', says: /help: write `url`: .*`"-"` for stdin/ },
    {
      from: 'type: ffmpeg, url: "-", video: h264, outputArgs: [-vf, yadif]',
      says: /CONFIG_UNFIT_PROGRAM.*input "main": \S+build has no filter yadif\n[^]*help: install a build of FFmpeg that has it/,
    },
  ]
  await folder.write('build', `#!/bin/sh\nffmpeg "$@" | grep -v ' yadif '\n`)
  await chmod(join(folder.path, 'build'), 0o755)
  for (const { from, says } of rows) {
    await folder.write('pipeline.yaml', asInput(from).replace('engine: {', 'engine: { ffmpeg: ./build,'))
    await using child = runCommandLine(['check', 'pipeline.yaml'], folder.path)
    assert.equal((await child.exited).code, 78, from)
    assert.match(child.stderr, says)
  }
  await folder.write('pipeline.yaml', asInput('type: ffmpeg, url: "-", format: auto'))
  await using right = runCommandLine(['check', 'pipeline.yaml'], folder.path)
  assert.equal((await right.exited).code, 0, right.stderr)
})

/** Served with a tag, made anew by the command, and named by the player page. */
async function assertPicture(engine: EngineProcess): Promise<void> {
  const url = await engine.url('film/poster')
  const asked = (etag = ''): Promise<HttpResponse> => httpRequest(url, { headers: { 'if-none-match': etag } })
  let picture = await until(async () => {
    const answer = await asked()
    return answer.status === 200 && answer
  }, 'there is a picture')
  assert.equal(picture.headers['content-type'], 'image/jpeg')
  for (let asks = 1; ; asks++) {
    const again = await asked(picture.headers.etag)
    if (again.status === 304) break
    // Once in a while it is made anew between the two requests.
    assert.equal(again.status, 200)
    assert.notEqual(again.headers.etag, picture.headers.etag, 'the same picture is sent again')
    assert.ok(asks < MOST_ASKS, 'it is another picture each time')
    picture = again
  }
  const { code, stdout } = await command(engine, ['command', 'film/poster', 'snapshot'])
  assert.equal(code, 0)
  assert.match(stdout, /"etag"/)
  const page = await httpRequest(new URL('/film/', url))
  assert.match(page.text, /"poster":"\.\.\/\.\.\/poster\.jpg"/)
}

async function command(
  engine: EngineProcess,
  args: readonly string[],
): Promise<{ code: number | null; stdout: string }> {
  await using child = runCommandLine([...args, '--api', engine.api], engine.folder.path)
  const { code } = await child.exited
  return { code, stdout: child.stdout }
}

/** In a process group: processes connected by a pipe end together. */
function shell(text: string, cwd: string): Child {
  return new Child('/bin/sh', ['-c', text], { cwd, group: true, env: { ENGINE_API: undefined } })
}
