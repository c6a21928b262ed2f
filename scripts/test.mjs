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
const TOOLS = { curl: '--version', ffmpeg: '-version', ffprobe: '-version', openssl: 'version', promtool: '--version' }
/** The Debian packages that contain them. */
const PACKAGES = ['curl', 'ffmpeg', 'openssl', 'prometheus']

/**
 * Tests of the assembled product measure time, and spend most of theirs waiting for it: they run after the others, so
 * that nothing else takes their processor.
 */
const GROUPS = [
  { name: 'unit', timeoutMs: 600_000, owns: (path) => !path.startsWith('test/') },
  { name: 'engine', timeoutMs: 600_000, owns: (path) => path.startsWith('test/engine/') },
  { name: 'oracle', timeoutMs: 600_000, owns: (path) => path.startsWith('test/oracle/') },
  { name: 'media', timeoutMs: 600_000, owns: (path) => path.startsWith('test/media/') },
  { name: 'golden', timeoutMs: 600_000, owns: (path) => path.startsWith('test/golden/') },
  { name: 'fuzz', timeoutMs: 600_000, owns: (path) => path.startsWith('test/fuzz/') },
  { name: 'e2e', timeoutMs: 900_000, owns: (path) => path.startsWith('test/e2e/') },
  { name: 'soak', timeoutMs: 900_000, owns: (path) => path.startsWith('test/soak/') },
]
const CONCURRENCY = Math.max(2, availableParallelism())

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
  const groups = GROUPS.filter(({ name }) => wanted.includes(name))
    .map((group) => ({ ...group, files: files.filter(group.owns) }))
    .filter((group) => group.files.length > 0)
  if (groups.length === 0) fail(`millrace: no test file of ${wanted.join(', ')} matches ${words.join(' ')}`)
  const results = []
  for (const group of groups) results.push(await runGroup(group))
  report(results)
}

/**
 * ffmpeg and ffprobe: readers that share no code with ours, and the makers of streams. openssl makes certificates.
 * promtool reads metrics as Prometheus does.
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
  // With systemd, the package of promtool also starts a Prometheus server.
  const isServerStarted = existsSync('/run/systemd/system') && !(await hasTool('promtool'))
  const stop = isServerStarted ? [['systemctl', 'disable', '--now', 'prometheus.service']] : []
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
  const { code } = await runCommand([program, TOOLS[program]], { cwd: ROOT })
  return code === 0
}

/** The compiled file of every test, found by its source: deleted tests stay in dist, so dist is not searched. */
function listTestFiles(filters) {
  const sources = [
    ...listWorkspaces().flatMap(({ folder }) => listFiles(join(folder, 'src'), isTest)),
    ...['e2e', 'engine', 'fuzz', 'golden', 'media', 'oracle', 'soak'].flatMap((folder) =>
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

async function runGroup({ name, timeoutMs, files }) {
  process.stderr.write(`\nmillrace: ${name} tests, ${files.length} files\n`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const tap = join(folder, 'results.tap')
  const { code } = await runCommand(
    [
      process.execPath,
      '--test',
      `--test-timeout=${timeoutMs}`,
      `--test-concurrency=${CONCURRENCY}`,
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
  return { name, files: files.length, code, ...counted }
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
  for (const { name, files, tests = 0, failed = 0, skipped = 0, code } of results) {
    const verdict = code === 0 && skipped === 0 ? 'passed' : `FAILED (${failed} failed, ${skipped} skipped)`
    process.stderr.write(`millrace: ${name.padEnd(6)} ${files} files, ${tests} tests: ${verdict}\n`)
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
