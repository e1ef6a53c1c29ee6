# Sourced by ./peerlane and ./dev: sets JAVA_HOME to a JDK 25 or later, or says what installs one.

jdk_major() { # JAVA_HOME-like folder → its major version, or nothing
  [ -x "$1/bin/javac" ] || return 0
  if [ -r "$1/release" ]; then
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
  else
    "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'
  fi
}

find_jdk() {
  local candidate major on_path
  on_path=$(command -v javac 2>/dev/null) && on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for candidate in "${JAVA_HOME:-}" "$on_path" \
      /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
      "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ -n "$candidate" ] || continue
    major=$(jdk_major "$candidate")
    if [ -n "$major" ] && [ "$major" -ge 25 ]; then
      JAVA_HOME=$candidate
      # Maven's libraries use what this JDK warns of; not in .mvn/jvm.config, which an older one also reads
      MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}"
      export JAVA_HOME MAVEN_OPTS
      return 0
    fi
  done
  {
    echo "Peerlane needs a JDK 25 or later; none was found under JAVA_HOME, PATH, /usr/lib/jvm or ~/.sdkman."
    local id='' version=''
    if [ -r /etc/os-release ]; then
      id=$(. /etc/os-release && echo "${ID:-}")
      version=$(. /etc/os-release && echo "${VERSION_ID:-}")
    fi
    case "$id:$version" in
      debian:13* | debian: | ubuntu:25* | ubuntu:26*)
        echo "Install it with: sudo apt-get install openjdk-25-jdk-headless" ;;
      debian:* | ubuntu:*)
        echo "This release has no package of it: install temurin-25-jdk from Eclipse Adoptium's repository," \
          "or unpack any JDK 25 and set JAVA_HOME." ;;
      fedora:* | rhel:* | centos:*)
        echo "Install it with: sudo dnf install java-25-openjdk-devel" ;;
      *)
        echo "Install one for your system, or unpack one and set JAVA_HOME." ;;
    esac
  } >&2
  return 1
}
