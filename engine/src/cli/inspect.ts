// `engine inspect [KIND/]TYPE`: all that is known of a node, from the manifest of its plugin; without a type, all types.
import { didYouMean } from '../config/report/did-you-mean.js'
import { offeredBy } from '../plugin/catalogue.js'
import type { Offered } from '../plugin/catalogue.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { showCatalogue } from './plugin-problems.js'
import type { PluginScope } from './plugin-problems.js'
import { renderNodeType, renderNodeTypes } from './render-node-type.js'
import { styleFor } from './terminal-style.js'

export interface InspectOptions extends PluginScope {
  readonly json?: boolean | undefined
}

/** Resolves with the exit code: 2 where there is no such type, or two kinds have it. */
export async function inspectType(
  name: string | undefined,
  streams: CliStreams,
  options: InspectOptions,
): Promise<number> {
  const { out, err, env } = streams
  const catalogue = await showCatalogue(streams, options, { run: 'describe' })
  const offered = offeredBy(catalogue)
  const style = styleFor(out, env)
  if (name === undefined) {
    out.write(options.json === true ? asJson(offered) : renderNodeTypes(offered, style))
    return EXIT.ok
  }
  const chosen = offered.filter(({ definition: { kind, type } }) => name === type || name === `${kind}/${type}`)
  const [first, ...others] = chosen
  if (first === undefined) {
    const known = [...new Set(offered.flatMap(({ definition: { kind, type } }) => [type, `${kind}/${type}`]))]
    const near = didYouMean(name, known, 'types')
    err.write(printable(`error: there is no type "${name}"${near === undefined ? '' : `\n  = help: ${near}`}\n`))
    return EXIT.usage
  }
  if (others.length > 0) {
    const names = chosen.map(({ definition: { kind, type } }) => `${kind}/${type}`)
    err.write(
      printable(`error: "${name}" is ${names.join(' and ')}\n  = help: say which: engine inspect ${names[0] ?? ''}\n`),
    )
    return EXIT.usage
  }
  out.write(options.json === true ? asJson(first) : renderNodeType(first, style))
  return EXIT.ok
}

function asJson(of: Offered | readonly Offered[]): string {
  const one = ({ definition, plugin }: Offered): object => ({
    ...definition,
    errors: plugin.manifest?.errors ?? [],
    package: plugin.name,
    version: plugin.version,
  })
  return `${JSON.stringify('definition' in of ? one(of) : of.map(one), undefined, 2)}\n`
}
