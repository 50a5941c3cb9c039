package sampo.panel

import groovy.transform.CompileStatic
import qupath.lib.objects.PathObject
import qupath.lib.roi.interfaces.ROI
import sampo.glue.ImageSession
import sampo.glue.PlacedChange

/** What a refinement did to the objects of an image, for the eye. */
@CompileStatic
class Difference {
    final ImageSession session
    final List<PathObject> added
    final List<PathObject> removed
    /** As they are now. */
    final List<PathObject> reshaped
    /** Same outline, other score. */
    final int rescored

    Difference(ImageSession session, PlacedChange change) {
        this.session = session
        Map<UUID, PathObject> before = new HashMap<>()
        for (PathObject one : change.removed) before.put(one.ID, one)
        Set<UUID> after = change.added.collect { PathObject one -> one.ID } as Set<UUID>
        added = change.added.findAll { PathObject one -> !before.containsKey(one.ID) }
        removed = change.removed.findAll { PathObject one -> !after.contains(one.ID) }
        List<PathObject> both = change.added.findAll { PathObject one -> before.containsKey(one.ID) }
        reshaped = both.findAll { PathObject one -> !same(before.get(one.ID).ROI, one.ROI) }
        rescored = both.size() - reshaped.size()
    }

    private static boolean same(ROI a, ROI b) {
        return a.numPoints == b.numPoints && a.allPoints == b.allPoints
    }
}
