#!/bin/sh
# starts
exec java -jar jarvis.jar
