import { cases } from '../../specs/lossy-ring/cases.ts'
import { structureOf, testCases, testStructure } from './structure.ts'

const lossyRing = await structureOf('lossy-ring')

testStructure(lossyRing)
testCases(lossyRing, cases)
