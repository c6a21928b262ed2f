// Millrace as its users install it: every package packed, installed from tarballs in an empty folder and globally, and
// run there. Nothing of the repository is in reach.
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { after, before, test } from 'node:test'
import { Child } from './kit/child.js'
import { httpRequest } from './kit/http-request.js'
import { execForm, parseDockerfile } from './kit/parse-dockerfile.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { TempFolder } from './kit/temp-folder.js'

/** The Dockerfile installs with the same flags. */
const FLAGS = ['--ignore-scripts', '--no-audit', '--no-fund']

let folder: TempFolder
let app = ''

before(async () => {
  folder = await TempFolder.make()
  app = join(folder.path, 'app')
})

after(() => folder[Symbol.asyncDispose]())

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(command: string, args: readonly string[], cwd = REPOSITORY_ROOT): Promise<Ran> {
  await using child = new Child(command, args, { cwd, env: { NO_COLOR: '1' } })
  const { code } = await child.exited
  return { code, out: child.stdout, err: child.stderr }
}

/** A new project, checked and run with free ports, until it is told to stop. */
async function tryProject(command: string, cwd: string): Promise<void> {
  const made = await run(command, ['init', 'channel'], cwd)
  assert.deepEqual([made.code, made.out.split('\n').length], [0, 5], made.err)
  const project = join(cwd, 'channel')
  const checked = await run(command, ['check', '--strict', 'live.yaml'], project)
  assert.equal(checked.code, 0, checked.err)
  const text = await readFile(join(project, 'live.yaml'), 'utf8')
  const free = text.replaceAll(/127\.0\.0\.1:(?:1935|8000)'/g, "127.0.0.1:0'")
  await writeFile(join(project, 'live.yaml'), `engine: { api: { address: '127.0.0.1:0' } }\n${free}`)
  await using engine = new Child(command, ['run', 'live.yaml'], { cwd: project })
  await engine.untilStderr(/"msg":"Millrace \d+\.\d+\.\d+ is running live\.yaml"/)
  engine.signal('SIGTERM')
  assert.deepEqual(await engine.exited, { code: 0, signal: null }, engine.stderr)
}

test('installed in an empty folder, a new project is written, checked and run', async () => {
  const target = join(folder.path, 'tarballs')
  const packed = await run(process.execPath, [join(REPOSITORY_ROOT, 'scripts/pack.mjs'), target])
  assert.equal(packed.code, 0, packed.err)
  const tarballs = (await readdir(target)).map((name) => join(target, name))
  assert.ok(tarballs.length > 20)
  await mkdir(app)
  const installed = await run('npm', ['install', '--prefer-offline', ...FLAGS, ...tarballs], app)
  assert.equal(installed.code, 0, installed.err)
  const millrace = join(app, 'node_modules/millrace')
  for (const file of ['docs/configuration.md', 'deploy/prometheus/alerts.yaml', 'pipelines/srt-relay.yaml']) {
    assert.notEqual(await readFile(join(millrace, file), 'utf8'), '', file)
  }
  // As `npm install millrace` leaves it: the plugins are no dependencies of the application.
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', private: true, dependencies: { millrace: '*' } }),
  )
  await tryProject(join(app, 'node_modules/.bin/millrace'), app)
  const { code, out, err } = await run('npx', ['millrace', 'version'], app)
  assert.deepEqual([code, /^millrace \d/.test(out)], [0, true], err)
})

test('installed globally, the command is `engine`, and finds its plugins and those beside the YAML', async () => {
  // npm links the commands of what the test before has installed. The package itself is then put where npm puts it if it
  // comes from a registry, with all others below it, so that nothing is unpacked twice.
  const prefix = join(folder.path, 'global')
  const main = join(app, 'node_modules/millrace')
  const installed = await run('npm', ['install', ...FLAGS, '--global', '--prefix', prefix, main], folder.path)
  assert.equal(installed.code, 0, installed.err)
  const own = join(prefix, 'lib/node_modules/millrace')
  await unlink(own)
  await cp(main, own, { recursive: true })
  await cp(join(app, 'node_modules'), join(own, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  await rm(join(own, 'node_modules/millrace'), { recursive: true })
  const engine = join(prefix, 'bin/engine')
  const away = join(folder.path, 'away')
  await mkdir(away)
  await tryProject(engine, away)
  const plugin = join(away, 'node_modules/millrace-transform-packet-count')
  await cp(join(REPOSITORY_ROOT, 'examples/third-party-transform'), plugin, { recursive: true })
  // npm installs what a plugin wants beside it.
  for (const peer of ['@millrace', 'rxjs', 'zod']) {
    await symlink(join(app, 'node_modules', peer), join(away, 'node_modules', peer))
  }
  await writeFile(
    join(away, 'package.json'),
    JSON.stringify({ name: 'away', dependencies: { 'millrace-transform-packet-count': '*' } }),
  )
  const { code, out, err } = await run(engine, ['plugins', 'ls', '--json'], away)
  assert.equal(code, 0, err)
  const rows = JSON.parse(out) as readonly { readonly package: string; readonly found: string }[]
  const places = Object.fromEntries(rows.map((row) => [row.package, row.found]))
  assert.equal(places['millrace-transform-packet-count'], 'beside')
  assert.equal(places['@millrace/output-hls'], 'starter')
})

test('the image runs what `npm install` brings, says whether it is healthy, and shows its metrics to those with the token alone', async () => {
  const deploy = join(REPOSITORY_ROOT, 'deploy/docker')
  const [build, image] = parseDockerfile(await readFile(join(deploy, 'Dockerfile'), 'utf8'))
  assert.ok(build !== undefined && image !== undefined)
  assert.ok(build.values.get('RUN')?.includes('node scripts/pack.mjs /packed'))
  const mount = '--mount=type=bind,from=build,source=/packed,target=/packed'
  const { values } = image
  assert.ok(values.get('RUN')?.includes(`${mount} npm install ${FLAGS.join(' ')} /packed/*.tgz`))
  assert.ok(values.get('ENV')?.some((value) => value.includes(`PATH=${values.get('WORKDIR')?.[0]}/node_modules/.bin:`)))
  assert.ok(values.get('COPY')?.includes('deploy/docker/metrics.yaml /etc/millrace/metrics.yaml'))

  const away = join(folder.path, 'container')
  await mkdir(join(away, 'state'), { recursive: true })
  await cp(join(REPOSITORY_ROOT, 'pipelines/live.yaml'), join(away, 'live.yaml'))
  const metrics = await readFile(join(deploy, 'metrics.yaml'), 'utf8')
  // Reachable from outside of the container.
  assert.match(metrics, /address: '0\.0\.0\.0:9991'/)
  assert.ok(values.get('EXPOSE')?.join(' ').includes('9991'))
  await writeFile(join(away, 'metrics.yaml'), metrics.replace('0.0.0.0:9991', '127.0.0.1:0'))

  const mapped = (word: string): string => word.replace('/pipelines', away).replace('/state', join(away, 'state'))
  const [command = '', ...args] = [...execForm(values, 'ENTRYPOINT'), ...execForm(values, 'CMD')].map(mapped)
  const more = [join(away, 'metrics.yaml'), '--set', 'engine.api.address=127.0.0.1:0']
  const ports = ['--set', 'listeners.web.address=127.0.0.1:0']
  const env = {
    PATH: [join(app, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
    METRICS_TOKEN: 'a-token-0123456789abcdef',
  }
  await using engine = new Child(command, [...args, ...more, ...ports], { cwd: away, env })
  const [, api = ''] = await engine.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
  const [, page = ''] = await engine.untilStderr(/"services\/scraped","url":"([^"]+)"/)
  const [program = '', ...check] = execForm(values, 'HEALTHCHECK').map((word) =>
    word.replace('http://127.0.0.1:9990', api),
  )
  assert.equal((await run(program, check)).code, 0)
  assert.equal((await httpRequest(page)).status, 401)
  const headers = { authorization: `Bearer ${env.METRICS_TOKEN}` }
  const { status, text } = await httpRequest(page, { headers })
  assert.deepEqual([status, /^millrace_input_connected/m.test(text)], [200, true])
  engine.signal('SIGTERM')
  assert.deepEqual(await engine.exited, { code: 0, signal: null }, engine.stderr)
  assert.equal((await run(program, check)).code, 1)
})
