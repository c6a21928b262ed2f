// `npm test`: sets up all that the tests need (packages, ffmpeg, promtool, compiled code), then runs every test. Words
// choose the files whose path contains one of them: `npm test -- framer e2e`. `--groups unit,e2e` runs these groups only,
// `--node 24` runs on that version of Node. Nothing is ever skipped: missing tools are installed, or the run fails.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runWithNode } from './other-node.mjs'
import { fail, build, install, requireNode } from './prepare.mjs'
import { ROOT, listFiles, listWorkspaces } from './repository.mjs'
import { runCommand } from './run-command.mjs'

/** What the tests need beside Node, and how each prints its version. */
const TOOLS = {
  curl: '--version',
  ffmpeg: '-version',
  ffprobe: '-version',
  openssl: 'version',
  promtool: '--version',
  'srt-live-transmit': '-version',
  nginx: '-v',
  chromium: '--version',
  'gst-launch-1.0': '--version',
  'vlc-wrapper': '--version',
  tmux: '-V',
}
/** The Debian packages that contain them. */
const PACKAGES = [
  ...['curl', 'ffmpeg', 'openssl', 'prometheus', 'srt-tools', 'chromium', 'libnginx-mod-rtmp', 'tmux'],
  // gst-launch-1.0, hlsdemux2, tsdemux, decoders.
  ...['gstreamer1.0-tools', 'gstreamer1.0-plugins-good', 'gstreamer1.0-plugins-bad', 'gstreamer1.0-libav'],
  // Its command line, and all that needs no display.
  ...['vlc-bin', 'vlc-plugin-base'],
]

const CONCURRENCY = Math.max(2, availableParallelism())

/** Real readers of HLS can be let read for longer. */
const BROWSER_MS = 600_000 + Number(process.env.READERS_SECONDS ?? 0) * 1000

/**
 * Tests of the assembled product run after the others, so that nothing else takes their processor. Those of `engine` and
 * `e2e` spend most of their time waiting for back-offs, outages and media at its own speed: more run at a time. Groups
 * with the same `beside` run at once: some wait, others compute.
 */
const GROUPS = [
  // A quarter of their time is waiting too.
  { name: 'unit', timeoutMs: 600_000, concurrency: CONCURRENCY + 1, owns: (path) => !path.startsWith('test/') },
  // The longest file comes first.
  { name: 'fuzz', beside: 'engine', owns: (path) => path.startsWith('test/fuzz/') },
  { name: 'engine', beside: 'engine', owns: (path) => path.startsWith('test/engine/') },
  { name: 'media', beside: 'engine', owns: (path) => path.startsWith('test/media/') },
  { name: 'oracle', beside: 'engine', owns: (path) => path.startsWith('test/oracle/') },
  { name: 'golden', beside: 'engine', owns: (path) => path.startsWith('test/golden/') },
  { name: 'e2e', timeoutMs: 900_000, concurrency: CONCURRENCY * 2, owns: (path) => path.startsWith('test/e2e/') },
  // Players need the processor: one file at a time.
  { name: 'browser', timeoutMs: BROWSER_MS, concurrency: 1, owns: (path) => path.startsWith('test/browser/') },
  { name: 'soak', timeoutMs: 900_000, owns: (path) => path.startsWith('test/soak/') },
]

const { wanted, node, words } = readArguments()
const startedMs = performance.now()
requireNode()
if (node === undefined) await runTests()
else process.exitCode = await runWithNode(node, ['scripts/test.mjs', `--groups=${wanted.join(',')}`, ...words])

function readArguments() {
  const options = { groups: { type: 'string' }, node: { type: 'string' } }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const wanted = values.groups?.split(',') ?? GROUPS.map(({ name }) => name)
    const unknown = wanted.filter((name) => !GROUPS.some((group) => group.name === name))
    if (unknown.length > 0)
      fail(`millrace: no group ${unknown.join(', ')}; there are ${GROUPS.map(({ name }) => name).join(', ')}`)
    return { wanted, node: values.node, words: positionals }
  } catch (error) {
    return fail(`millrace: ${error.message}`)
  }
}

async function runTests() {
  process.stderr.write(`millrace: tests run on Node ${process.versions.node} (${process.execPath})\n`)
  await install()
  await provideTools()
  await build()
  const files = listTestFiles(words)
  const groups = joined(
    GROUPS.filter(({ name }) => wanted.includes(name))
      .map((group) => ({ ...group, files: files.filter(group.owns) }))
      .filter((group) => group.files.length > 0),
  )
  if (groups.length === 0) fail(`millrace: no test file of ${wanted.join(', ')} matches ${words.join(' ')}`)
  const results = []
  for (const group of groups) results.push(await runGroup(group))
  report(results)
}

/** Groups that run at once become one. */
function joined(groups) {
  const all = []
  for (const group of groups) {
    const before = all.at(-1)
    if (group.beside === undefined || before?.beside !== group.beside) {
      all.push(group)
      continue
    }
    all.pop()
    const name = `${before.name}, ${group.name}`
    all.push({ ...group, name, files: [...before.files, ...group.files] })
  }
  return all
}

/**
 * ffmpeg and ffprobe: readers that share no code with ours, and the makers of streams. openssl makes certificates.
 * promtool reads metrics as Prometheus does. nginx with its module for RTMP is a server of RTMP. Chromium plays
 * HLS on the player page, and GStreamer and VLC read it.
 */
async function provideTools() {
  if (await hasTools()) return
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', ...PACKAGES]
  const isRootOnDebian = process.getuid?.() === 0 && existsSync('/etc/debian_version')
  if (!isRootOnDebian) {
    fail(
      `The tests need ${Object.keys(TOOLS).join(', ')} in the PATH. On Debian and Ubuntu:\n` +
        `  sudo apt-get update && sudo apt-get install -y ${PACKAGES.join(' ')}`,
    )
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  process.stderr.write(`millrace: installing what the tests need (${command.join(' ')})\n`)
  // With systemd, the packages of promtool and nginx also start servers.
  const services = []
  if (existsSync('/run/systemd/system')) {
    if (!(await hasTool('promtool'))) services.push('prometheus.service')
    if (!(await hasTool('nginx'))) services.push('nginx.service')
  }
  const stop = services.length > 0 ? [['systemctl', 'disable', '--now', ...services]] : []
  for (const step of [['apt-get', 'update'], command, ...stop]) {
    const { code, output } = await runCommand(step, { cwd: ROOT, env })
    if (code !== 0) fail(`${output}millrace: \`${step.join(' ')}\` failed with exit code ${code}`)
  }
  if (!(await hasTools())) fail('millrace: the tools that the tests need were installed, but do not run')
}

async function hasTools() {
  for (const program of Object.keys(TOOLS)) if (!(await hasTool(program))) return false
  return true
}

async function hasTool(program) {
  // VLC does not run as root: its wrapper takes this user.
  const env = { ...process.env, SUDO_UID: '65534', SUDO_GID: '65534' }
  const { code } = await runCommand([program, TOOLS[program]], { cwd: ROOT, env })
  return code === 0
}

/** The compiled file of every test, found by its source: deleted tests stay in dist, so dist is not searched. */
function listTestFiles(filters) {
  const sources = [
    ...listWorkspaces().flatMap(({ folder }) => listFiles(join(folder, 'src'), isTest)),
    ...['browser', 'e2e', 'engine', 'fuzz', 'golden', 'media', 'oracle', 'soak'].flatMap((folder) =>
      listFiles(join('test', folder), isTest),
    ),
    ...listFiles('scripts', isTest),
  ]
  const chosen = sources.filter((path) => filters.length === 0 || filters.some((part) => path.includes(part)))
  if (chosen.length === 0) fail(`millrace: no test file matches ${filters.join(' ') || 'anything'}`)
  const missing = chosen.filter((path) => !existsSync(join(ROOT, compiled(path))))
  if (missing.length > 0) fail(`millrace: not compiled, though the build passed: ${missing.join(' ')}`)
  return chosen
}

function isTest(path) {
  return path.endsWith('.test.ts') || path.endsWith('.test.mjs')
}

/** `engine/src/x.test.ts` -> `engine/dist/x.test.js`, `test/e2e/x.test.ts` -> `test/dist/e2e/x.test.js`. */
function compiled(path) {
  if (path.endsWith('.mjs')) return path
  const js = path.replace(/\.ts$/, '.js')
  return js.startsWith('test/') ? js.replace('test/', 'test/dist/') : js.replace('/src/', '/dist/')
}

async function runGroup({ name, beside, timeoutMs = 600_000, concurrency = CONCURRENCY, files }) {
  process.stderr.write(`\nmillrace: ${name} tests, ${files.length} files\n`)
  const groupStartedMs = performance.now()
  const atOnce = beside === undefined ? concurrency : CONCURRENCY * 2
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const tap = join(folder, 'results.tap')
  const { code } = await runCommand(
    [
      process.execPath,
      '--test',
      `--test-timeout=${timeoutMs}`,
      `--test-concurrency=${atOnce}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${tap}`,
      ...files.map(compiled),
    ],
    { cwd: ROOT, show: true },
  )
  const counted = existsSync(tap) ? readCounts(readFileSync(tap, 'utf8')) : {}
  rmSync(folder, { recursive: true, force: true })
  return { name, files: files.length, seconds: (performance.now() - groupStartedMs) / 1000, code, ...counted }
}

/** The last lines of a TAP report: `# tests 12`, `# skipped 0` ... */
function readCounts(tap) {
  const count = (word) => Number([...tap.matchAll(new RegExp(`^# ${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0)
  return {
    tests: count('tests'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
  }
}

function report(results) {
  process.stderr.write('\n')
  for (const { name, files, seconds, tests = 0, failed = 0, skipped = 0, code } of results) {
    const verdict = code === 0 && skipped === 0 ? 'passed' : `FAILED (${failed} failed, ${skipped} skipped)`
    process.stderr.write(`millrace: ${name}: ${files} files, ${tests} tests in ${seconds.toFixed(0)} s: ${verdict}\n`)
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  const code = results.find((result) => result.code !== 0)?.code ?? 0
  const skipped = results.reduce((sum, result) => sum + (result.skipped ?? 0), 0)
  process.stderr.write(
    `millrace: ${code === 0 && skipped === 0 ? 'all tests passed' : 'tests FAILED'} in ${seconds} s on Node ${process.versions.node}\n`,
  )
  // A skipped test proves nothing: it fails the run.
  process.exitCode = code !== 0 ? code : Math.min(skipped, 1)
}
