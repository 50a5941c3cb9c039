package qupath.lib.objects.hierarchy.events

interface PathObjectHierarchyListener {
    void hierarchyChanged(PathObjectHierarchyEvent event)
}
