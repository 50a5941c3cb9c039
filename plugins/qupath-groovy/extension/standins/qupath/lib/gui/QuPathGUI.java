package qupath.lib.gui;

/** So much of QuPath's class as the extension names; the real one is there when it runs. */
public class QuPathGUI {}
