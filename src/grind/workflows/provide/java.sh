# GRIND_JAVA_HOME: the JDK; GRIND_JAVA_HOME_<major>: every one that was asked for.
give JAVA_HOME "$GRIND_JAVA_HOME"
front "$GRIND_JAVA_HOME/bin"
case $(uname -m) in x86_64) arch=X64 ;; aarch64) arch=ARM64 ;; *) arch=$(uname -m) ;; esac
for name in "${!GRIND_JAVA_HOME_@}"; do
  give "JAVA_HOME_${name#GRIND_JAVA_HOME_}_$arch" "${!name}"
done
echo "Java from $GRIND_JAVA_HOME"
