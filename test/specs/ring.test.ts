import { cases } from '../../specs/ring/cases.ts'
import { structureOf, testCases, testStructure } from './structure.ts'

const ring = await structureOf('ring')
testStructure(ring)
testCases(ring, cases)
