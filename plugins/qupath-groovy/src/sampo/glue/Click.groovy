package sampo.glue

import groovy.transform.CompileStatic

/** A click of the user on one plane, in full-resolution px. */
@CompileStatic
class Click {
    final String intentId
    final double x
    final double y
    /** False: not this type. */
    final boolean positive

    Click(String intentId, double x, double y, boolean positive) {
        this.intentId = intentId
        this.x = x
        this.y = y
        this.positive = positive
    }

    /** Says the same of the same place. */
    boolean same(Click other) {
        return intentId == other.intentId && x == other.x && y == other.y && positive == other.positive
    }
}
