import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectFiles } from './project-files.js'
import { systemdUnit } from './systemd-unit.js'

/** The directives that the unit may have (systemd.unit(5), systemd.service(5), systemd.exec(5)). */
const DIRECTIVES = {
  Unit: ['Description', 'After', 'Wants', 'StartLimitIntervalSec'],
  Service: [
    ...['User', 'Group', 'WorkingDirectory', 'Environment', 'Type', 'NotifyAccess', 'WatchdogSec', 'ExecStart'],
    ...['ExecReload', 'EnvironmentFile', 'KillSignal', 'TimeoutStopSec', 'Restart', 'RestartSec'],
    ...['RestartPreventExitStatus', 'LimitNOFILE', 'StateDirectory', 'StateDirectoryMode', 'LogsDirectory'],
    ...['NoNewPrivileges', 'ProtectSystem', 'ProtectHome', 'PrivateTmp', 'PrivateDevices', 'ProtectKernelTunables'],
    ...['ProtectKernelModules', 'ProtectControlGroups', 'RestrictAddressFamilies', 'RestrictNamespaces'],
    ...['RestrictRealtime', 'LockPersonality', 'SystemCallArchitectures', 'CapabilityBoundingSet'],
    ...['AmbientCapabilities'],
  ],
  Install: ['WantedBy'],
} as const

/** Its values by directive; fails on what systemd would not take. */
function parseUnit(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  let known: readonly string[] = []
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const section = /^\[(\w+)\]$/.exec(line)?.[1]
    if (section !== undefined) {
      known = DIRECTIVES[section as keyof typeof DIRECTIVES]
      assert.ok(known !== undefined, line)
      continue
    }
    const [, name = '', value = ''] = /^(\w+)=(.+)$/.exec(line) ?? []
    assert.ok(known.includes(name), line)
    assert.ok(!values.has(name), `${name} is there twice`)
    values.set(name, value)
  }
  return values
}

interface Installed {
  readonly command: string
  readonly folder?: string
  readonly nodeFolder?: string
}

function unitFor({ command, folder = '/srv/live', nodeFolder = '/usr/bin' }: Installed): string {
  const settings = { folder, name: 'live', version: '1.0.0', command, nodeFolder, schema: '', say: 'engine' }
  return projectFiles(settings).find(({ name }) => name === 'millrace.service')?.text ?? ''
}

const STATE = '--set engine.stateDir=/var/lib/millrace'

test('the unit runs the program that has written it', () => {
  const unit = parseUnit(unitFor({ command: '/usr/local/bin/engine' }))
  assert.equal(unit.get('ExecStart'), `/usr/local/bin/engine run --last-good live.yaml ${STATE}`)
  assert.equal(unit.get('WorkingDirectory'), '/srv/live')
  assert.equal(unit.get('StateDirectory'), 'millrace')
  assert.equal(unit.get('ProtectHome'), 'yes')
  assert.equal(unit.get('Environment'), undefined)
})

test('the unit runs what is installed in the folder if npx has written it from its cache', () => {
  const text = unitFor({ command: '/root/.npm/_npx/0123456789abcdef/node_modules/.bin/millrace' })
  const unit = parseUnit(text)
  assert.equal(unit.get('ExecStart'), `/srv/live/node_modules/.bin/millrace run --last-good live.yaml ${STATE}`)
  assert.match(text, /npm install/)
})

test('the unit finds a Node that is in no folder of the system, and quotes what systemd would read otherwise', () => {
  const folder = '/home/me/100 % $live'
  const nodeFolder = '/home/me/.nvm/versions/node/v24.1.0/bin'
  const unit = parseUnit(unitFor({ command: `${nodeFolder}/engine`, folder, nodeFolder }))
  assert.ok(unit.get('Environment')?.startsWith(`"PATH=${nodeFolder}:/usr/local/sbin:`))
  assert.equal(unit.get('WorkingDirectory'), '/home/me/100 %% $live')
  assert.equal(unit.get('ProtectHome'), undefined)
  const quoted = systemdUnit({ folder: '/srv', command: '/srv/a $b/"x"%i/engine', first: '' })
  assert.match(quoted, /^ExecStart="\/srv\/a \$\$b\/\\"x\\"%%i\/engine" run /m)
})

test('the unit lets the engine list network interfaces, and says what edits need', () => {
  const unit = unitFor({ command: '/usr/local/bin/engine' })
  assert.match(unit, /^RestrictAddressFamilies=.* AF_NETLINK$/m)
  assert.match(unit, /^#ReadWritePaths=\/srv\/live$/m)
})
