// Whether the network interfaces that nodes name are there, and have an address.
import type { networkInterfaces } from 'node:os'
import { plainAddress } from '../listen/ip-address.js'
import type { Demand, Finding, Machine } from './finding.js'

/** `interfaces`: those with a link and an address. */
export function checkInterfaces(
  { read }: Pick<Machine, 'read'>,
  demand: Pick<Demand, 'interfaces'>,
  interfaces: ReturnType<typeof networkInterfaces>,
): readonly Finding[] {
  return demand.interfaces.map(([node, wanted]) => {
    const check = `interface of ${node}`
    const found = Object.entries(interfaces).find(
      ([name, addresses = []]) =>
        name === wanted || addresses.some(({ address }) => plainAddress(address) === plainAddress(wanted)),
    )
    if (found !== undefined) return { check, level: 'ok', found: renderInterface(found), advice: '' }
    const state = /^[^./][^/]*$/.test(wanted) ? read(`/sys/class/net/${wanted}/operstate`) : undefined
    if (state !== undefined) {
      const advice = `check the cable, \`ip link set ${wanted} up\` and \`ip address\`; the node tries again until it works`
      return { check, level: 'warn', found: `${wanted} has no link or no address (${state})`, advice }
    }
    const all = Object.entries(interfaces).map(renderInterface).join('; ')
    const advice = 'use the name or an address of one of them, or leave the option out'
    return { check, level: 'fail', found: `${wanted} does not exist; there are: ${all}`, advice }
  })
}

function renderInterface([name, addresses = []]: readonly [
  string,
  readonly { address: string }[] | undefined,
]): string {
  return `${name} (${addresses.map(({ address }) => address).join(', ')})`
}
