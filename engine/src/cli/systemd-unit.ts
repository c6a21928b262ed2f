// The systemd unit of a channel: what `engine init` writes, and deploy/systemd/millrace.service.

export interface UnitSettings {
  /** The folder of the YAML. Absolute. */
  readonly folder: string
  /** Absolute path, or a name that systemd finds in /usr/local/bin and /usr/bin. */
  readonly command: string
  /** What has to be done first, as a line. */
  readonly first: string
  /** Folder of Node, if it is not one in which systemd looks for programs. */
  readonly nodeFolder?: string | undefined
}

/** Where systemd looks for programs, and where those look in turn. */
const STANDARD_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

const ENDING = `# On SIGTERM the engine ends inputs, sends viewers what is buffered, and exits 0 within engine.drain (10s).
KillSignal=SIGTERM
TimeoutStopSec=20
Restart=on-failure
RestartSec=1
# Restarting does not help a wrong configuration (78), found at the start or later, or a wrong command line (2).
RestartPreventExitStatus=2 78
# One file descriptor per viewer, plus a few. The engine warns at the start if clients.max may need more.
LimitNOFILE=65536
# /var/lib/millrace: token of the control API, last good configuration, lock. /var/log/millrace: access logs, if you
# write them there.
StateDirectory=millrace
StateDirectoryMode=0700
LogsDirectory=millrace
`

const RIGHTS = `PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
# AF_NETLINK: to list the network interfaces.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
`

/** Whose files are hidden by ProtectHome=. */
const HOMES = /^\/(?:home|root|run\/user)\//

export function systemdUnit({ folder, command, first, nodeFolder }: UnitSettings): string {
  const isInHome = [folder, command, nodeFolder ?? ''].some((each) => HOMES.test(`${each}/`))
  const isStandard = nodeFolder === undefined || STANDARD_FOLDERS.includes(nodeFolder)
  const path = isStandard ? '' : `Environment="PATH=${escaped(nodeFolder)}:${STANDARD_FOLDERS.join(':')}"\n`
  return `# Runs ${folder}/live.yaml as a service. ${first}
#   useradd --system --home-dir /var/lib/millrace --shell /usr/sbin/nologin millrace
#   cp millrace.service /etc/systemd/system/ && systemctl daemon-reload
#   systemctl enable --now millrace
# The user millrace must be able to read ${folder}, and to run the command below. Log: journalctl -u millrace -o cat
[Unit]
Description=Millrace, live MPEG transport streams
After=network-online.target
Wants=network-online.target
# What fails for a while, like an address in use, is started again for as long as it takes.
StartLimitIntervalSec=0

[Service]
User=millrace
Group=millrace
WorkingDirectory=${escaped(folder)}
${path}# Started means that every node has been opened. A process whose event loop stands still for a minute is started again.
# The messages are sent by the program systemd-notify, hence \`all\`.
Type=notify
NotifyAccess=all
WatchdogSec=60
# The engine follows its files: a save is applied while viewers watch, and a mistake changes nothing (engine status
# shows it). If the files have mistakes at a start, --last-good starts the last good configuration.
ExecStart=${quoted(command)} run --last-good live.yaml --set engine.stateDir=/var/lib/millrace
# Reads the files again. systemctl does not wait for the result; engine reload does, and engine reload --plan shows what
# a reload would cost.
ExecReload=/bin/kill -HUP $MAINPID
# NAME=value lines for \${NAME} and secrets, readable by root alone.
EnvironmentFile=-/etc/millrace/environment
${ENDING}# \`engine set\` and \`engine rollback\` write the files: they need this line, and the folder owned by the user millrace.
#ReadWritePaths=${quoted(folder)}

# Rights that a live server does not need. Without PrivateDevices: cameras, and encoders of the graphics card.
NoNewPrivileges=yes
ProtectSystem=strict
${isInHome ? '' : 'ProtectHome=yes\n'}${RIGHTS}`
}

/** % begins a specifier (systemd.unit(5)). */
function escaped(text: string): string {
  return text.replaceAll('%', '%%')
}

/** As a word of a command line, where $ begins a variable too. */
function quoted(text: string): string {
  const word = escaped(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '$$$$')
  return /[\s"\\]/.test(text) ? `"${word}"` : word
}
